"""Django's admin, for admins only, behind the product's own sign-in."""

from django.contrib.admin import AdminSite
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from users.models import User


class FunnelAdminSite(AdminSite):
    site_title = _("Funnel admin")
    site_header = _("Funnel admin")
    index_title = _("What admins look after")
    site_url = "/"
    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        """The role decides, not Django's `is_staff`: one place to give and take rights."""
        user = request.user
        return isinstance(user, User) and user.is_active and user.is_admin
