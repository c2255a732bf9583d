from django.urls import path

from leads import lead_views, merging_views, timeline_views, views

app_name = "leads"
urlpatterns = [
    path("", views.lead_list, name="list"),
    path("export.csv", views.lead_export, name="export"),
    path("new/", lead_views.lead_new, name="new"),
    path("duplicates/", merging_views.duplicate_list, name="duplicates"),
    path("duplicates/dismissal/", merging_views.duplicate_dismissed, name="duplicate_dismissal"),
    path("<uuid:public_id>/", merging_views.by_public_id, name="by_public_id"),
    path("<int:pk>/merge/", merging_views.merge, name="merge"),
    path("<int:pk>/merged/", merging_views.merged, name="merged"),
    path("<int:pk>/unmerge/", merging_views.unmerge, name="unmerge"),
    path("<int:pk>/", lead_views.lead_page, name="lead"),
    path("<int:pk>/edit/", lead_views.lead_edit, name="edit"),
    path("<int:pk>/timeline/", timeline_views.lead_timeline, name="timeline"),
    path("<int:pk>/timeline/group/", timeline_views.timeline_group, name="timeline_group"),
    path("<int:pk>/transitions/", lead_views.transitions, name="transitions"),
    path("<int:pk>/assignment/", lead_views.assignment, name="assignment"),
    path("<int:pk>/buying-roles/", lead_views.role_added, name="buying_roles"),
    path("<int:pk>/buying-roles/removal/", lead_views.role_removed, name="buying_role_removal"),
    path("<int:pk>/consents/", lead_views.consent_recorded, name="consents"),
]
