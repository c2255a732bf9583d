from django.urls import path

from scoring.prediction import views

# Part of the addresses of scoring, under its namespace.
urlpatterns = [
    path("prediction/", views.prediction, name="prediction"),
    path("prediction/train/", views.train, name="prediction_training"),
    path("prediction/trainings/<int:pk>/", views.training, name="training"),
    path("prediction/trainings/<int:pk>/again/", views.next_attempt, name="training_next_attempt"),
    path("prediction/files/", views.workbench, name="workbench"),
    path("prediction/files/<int:pk>/", views.workbench_file, name="workbench_file"),
    path("prediction/leads/<int:pk>/override/", views.override, name="prediction_override"),
    path(
        "prediction/leads/<int:pk>/override/end/",
        views.override_end,
        name="prediction_override_end",
    ),
]
