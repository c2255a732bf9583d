"""Every address of the product. Who may open which: funnel_app/access.py."""

from django.contrib import admin
from django.urls import include, path

from funnel_app import views
from scoring.api import api

urlpatterns = [
    path("", views.home, name="home"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("user/", include("allauth.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
    path("leads/", include("leads.urls")),
    path("accounts/", include("leads.account_urls")),
    path("imports/", include("leads.import_urls")),
    path("scoring/review/", include("insights.review.urls")),
    path("scoring/", include("scoring.urls")),
    path("api/v1/", api.urls),
    path("sources/", include("tracking.urls")),
    path("funnel/", include("insights.urls")),
    path("traffic/", include("insights.traffic.urls")),
    path("", include("sales.urls")),
]

handler400 = "funnel_app.views.bad_request"
handler403 = "funnel_app.views.forbidden"
handler404 = "funnel_app.views.not_found"
handler500 = "funnel_app.views.server_error"
