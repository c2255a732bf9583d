from django.urls import path

from sales import deal_views, views

app_name = "sales"
urlpatterns = [
    path("inbox/", views.inbox, name="inbox"),
    path("handoffs/<int:pk>/", views.handoff, name="handoff"),
    path("handoffs/<int:pk>/decision/", views.decision, name="decision"),
    path("handoffs/<int:pk>/assignment/", views.assignment, name="assignment"),
    path("pipeline/", deal_views.pipeline, name="pipeline"),
    path("customers/", deal_views.customers, name="customers"),
    path("sales/leads/<int:pk>/panel/", deal_views.lead_panel, name="lead_panel"),
    path("sales/leads/<int:pk>/handoffs/", deal_views.proposal, name="proposal"),
    path("sales/leads/<int:pk>/bant/", deal_views.bant_answers, name="bant"),
    path("sales/opportunities/<int:pk>/", deal_views.opportunity, name="opportunity"),
    path("sales/opportunities/<int:pk>/outcome/", deal_views.outcome, name="outcome"),
]
