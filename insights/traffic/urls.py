from django.urls import path

from insights.traffic import views

app_name = "traffic"

urlpatterns = [
    path("", views.traffic, name="traffic"),
    path("sources.csv", views.traffic_csv, name="csv"),
    path("visits/", views.visits, name="visits"),
    path("visits.csv", views.visits_csv, name="visits_csv"),
    path("leads/", views.leads, name="leads"),
    path("leads.csv", views.leads_csv, name="leads_csv"),
]
