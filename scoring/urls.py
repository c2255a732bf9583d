from django.urls import path

from scoring import views

app_name = "scoring"
urlpatterns = [
    path("", views.model, name="model"),
    path("leads/<int:pk>/", views.explanation, name="explanation"),
]
