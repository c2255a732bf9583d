from django.urls import path

from tracking import channel_views, views

app_name = "tracking"
urlpatterns = [
    path("", views.sources, name="sources"),
    path("<int:pk>/keys/", views.keys, name="keys"),
    path("keys/<int:pk>/revocation/", views.revocation, name="revocation"),
    path("channels/", channel_views.channels, name="channels"),
    path("channels/new/", channel_views.channel_rule_new, name="channel_rule_new"),
    path("channels/<int:pk>/", channel_views.channel_rule, name="channel_rule"),
    path("channels/<int:pk>/place/", channel_views.channel_rule_place, name="channel_rule_place"),
    path(
        "channels/<int:pk>/removal/",
        channel_views.channel_rule_removal,
        name="channel_rule_removal",
    ),
]
