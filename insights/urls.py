from django.urls import path

from insights import views

app_name = "insights"

urlpatterns = [
    path("", views.funnel, name="funnel"),
    path("stages.csv", views.funnel_csv, name="funnel_csv"),
    path("reasons/", views.reasons, name="reasons"),
    path("leads/", views.leads, name="leads"),
    path("leads.csv", views.leads_csv, name="leads_csv"),
]
