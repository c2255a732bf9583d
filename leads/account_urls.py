from django.urls import path

from leads import account_views

app_name = "accounts"
urlpatterns = [
    path("", account_views.account_list, name="list"),
    path("suggestions/", account_views.suggestions, name="suggestions"),
    path("<int:pk>/", account_views.account_page, name="account"),
]
