from django.urls import path

from leads import import_views as views

app_name = "imports"
urlpatterns = [
    path("", views.import_list, name="list"),
    path("<int:pk>/", views.import_page, name="import"),
    path("<int:pk>/mapping/", views.mapping_page, name="mapping"),
    path("<int:pk>/mapping/beginning/", views.beginning, name="beginning"),
    path("<int:pk>/check/", views.start_check, name="check"),
    path("<int:pk>/run/", views.start_run, name="run"),
    path("<int:pk>/cancellation/", views.cancel, name="cancellation"),
    path("<int:pk>/next-attempt/", views.try_again, name="next_attempt"),
    path("<int:pk>/report/", views.report, name="report"),
]
