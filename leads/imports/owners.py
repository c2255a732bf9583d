"""The colleagues that an import names as owners."""

from __future__ import annotations

from functools import cached_property

from leads.imports.values import folded
from users.models import User
from users.roles import Role

# Marketers and admins import; leads belong to those who sell.
OWNING_ROLES = (Role.REP, Role.MANAGER)


class OwnerBook:
    """Active sales people by e-mail address and by full name, where that is only one's."""

    def find(self, text: str) -> User | None:
        return self._by_email.get(text.lower()) or self._by_name.get(folded(text))

    @cached_property
    def _users(self) -> list[User]:
        people = User.objects.filter(is_active=True, role__in=OWNING_ROLES)
        return list(people.select_related("team"))

    @cached_property
    def _by_email(self) -> dict[str, User]:
        return {user.email.lower(): user for user in self._users}

    @cached_property
    def _by_name(self) -> dict[str, User | None]:
        found: dict[str, User | None] = {}
        for user in self._users:
            name = folded(user.get_full_name())
            found[name] = None if name in found else user
        return found
