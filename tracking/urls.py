from django.urls import path

from tracking import (
    channel_views,
    install_views,
    intake_views,
    key_views,
    touchpoint_views,
    verdict_views,
    views,
)

app_name = "tracking"
urlpatterns = [
    path("", views.sources, name="sources"),
    path("<int:pk>/keys/", views.keys, name="keys"),
    path("keys/<int:pk>/", key_views.key, name="key"),
    path("keys/<int:pk>/secret/", key_views.secret_key, name="secret_key"),
    path("keys/<int:pk>/rotation/", key_views.rotation, name="rotation"),
    path("keys/<int:pk>/revocation/", views.revocation, name="revocation"),
    path("install/", install_views.install, name="install"),
    path("<int:pk>/received/", install_views.received, name="received"),
    path("<int:pk>/messages/", intake_views.messages_of, name="messages"),
    path("messages/<int:pk>/", intake_views.message, name="message"),
    path("books/", intake_views.books, name="books"),
    path("retention/", intake_views.retention_page, name="retention"),
    path("retention/settings/", intake_views.retention_settings, name="retention_settings"),
    path("leads/<int:pk>/touchpoints/", touchpoint_views.touchpoints, name="touchpoints"),
    path("channels/", channel_views.channels, name="channels"),
    path("channels/new/", channel_views.channel_rule_new, name="channel_rule_new"),
    path("channels/<int:pk>/", channel_views.channel_rule, name="channel_rule"),
    path("channels/<int:pk>/place/", channel_views.channel_rule_place, name="channel_rule_place"),
    path(
        "channels/<int:pk>/removal/",
        channel_views.channel_rule_removal,
        name="channel_rule_removal",
    ),
    path("verdicts/", verdict_views.verdicts, name="verdicts"),
    path("verdicts/events/<int:pk>/", verdict_views.verdict_event, name="verdict_event"),
    path("verdicts/rules/new/", verdict_views.verdict_rule_new, name="verdict_rule_new"),
    path("verdicts/rules/<int:pk>/end/", verdict_views.verdict_rule_end, name="verdict_rule_end"),
    path(
        "verdicts/runs/<int:pk>/resume/",
        verdict_views.verdict_run_resume,
        name="verdict_run_resume",
    ),
]
