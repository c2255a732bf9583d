"""Makes the product's admin site Django's default one. Stands in INSTALLED_APPS."""

from django.contrib.admin.apps import AdminConfig


class FunnelAdminConfig(AdminConfig):
    default_site = "funnel_app.admin_site.FunnelAdminSite"
