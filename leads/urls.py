from django.urls import path

from leads import lead_views, views

app_name = "leads"
urlpatterns = [
    path("", views.lead_list, name="list"),
    path("export.csv", views.lead_export, name="export"),
    path("new/", lead_views.lead_new, name="new"),
    path("<int:pk>/", lead_views.lead_page, name="lead"),
    path("<int:pk>/edit/", lead_views.lead_edit, name="edit"),
    path("<int:pk>/timeline/", lead_views.lead_timeline, name="timeline"),
    path("<int:pk>/transitions/", lead_views.transitions, name="transitions"),
    path("<int:pk>/assignment/", lead_views.assignment, name="assignment"),
    path("<int:pk>/buying-roles/", lead_views.role_added, name="buying_roles"),
    path("<int:pk>/buying-roles/removal/", lead_views.role_removed, name="buying_role_removal"),
    path("<int:pk>/consents/", lead_views.consent_recorded, name="consents"),
]
