from django.urls import path

from tracking import views

app_name = "tracking"
urlpatterns = [
    path("", views.sources, name="sources"),
    path("<int:pk>/keys/", views.keys, name="keys"),
    path("keys/<int:pk>/revocation/", views.revocation, name="revocation"),
]
