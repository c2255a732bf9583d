from django.urls import include, path

from scoring import explanation_views, proving_views, quadrant_views, version_views, views

app_name = "scoring"
urlpatterns = [
    path("", views.model, name="model"),
    path("quadrants/", quadrant_views.page, name="quadrants"),
    path("quadrants/picture/", quadrant_views.picture, name="quadrant_picture"),
    path("quadrants/leads/", quadrant_views.leads, name="quadrant_leads"),
    path("", include("scoring.prediction.urls")),
    path("leads/<int:pk>/", explanation_views.explanation, name="explanation"),
    path("leads/<int:pk>/ledger.csv", explanation_views.ledger_csv, name="ledger_csv"),
    path("versions/<int:number>/", version_views.version, name="version"),
    path("versions/<int:number>/reviews/", version_views.reviews, name="version_reviews"),
    path("versions/<int:number>/signatures/", version_views.signatures, name="version_signatures"),
    path(
        "versions/<int:number>/publications/",
        version_views.publications,
        name="version_publications",
    ),
    path("versions/<int:number>/preview/", proving_views.preview, name="preview"),
    path("versions/<int:number>/preview/leads/", proving_views.preview_leads, name="preview_leads"),
    path("versions/<int:number>/backtest/", proving_views.backtest, name="backtest"),
]
