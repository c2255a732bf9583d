from django.urls import path

from insights.review import views

app_name = "review"

urlpatterns = [
    path("", views.review, name="review"),
    path("<int:pk>/draft/", views.take_over, name="draft"),
]
