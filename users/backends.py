"""Sign-in by e-mail address and password; rights by role."""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth.models import AnonymousUser

from users.models import User


class RoleBackend(AuthenticationBackend):
    """An active admin may do everything Django's admin offers; nobody else anything there."""

    def has_perm(
        self,
        user_obj: User | AnonymousUser,
        perm: str,
        obj: Any | None = None,  # type: ignore[override]
    ) -> bool:
        return isinstance(user_obj, User) and user_obj.is_active and user_obj.is_admin

    def has_module_perms(
        self,
        user_obj: User | AnonymousUser,
        app_label: str,  # type: ignore[override]
    ) -> bool:
        return self.has_perm(user_obj, app_label)
