"""Who did it: a user, a rule, an import, or the system itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from users.models import User


class ActorKind(models.TextChoices):
    USER = "user", _("user")
    RULE = "rule", _("rule")
    IMPORT = "import", _("import")
    SYSTEM = "system", _("system")


@dataclass(frozen=True)
class Actor:
    """The `by=` of every write. `label` names the rule, import or process."""

    kind: str
    user: User | None = None
    label: str = ""

    @classmethod
    def of(cls, user: User) -> Actor:
        return cls(ActorKind.USER, user=user, label=str(user))

    @classmethod
    def rule(cls, label: str) -> Actor:
        return cls(ActorKind.RULE, label=label)

    @classmethod
    def importer(cls, label: str) -> Actor:
        return cls(ActorKind.IMPORT, label=label)

    @classmethod
    def system(cls, label: str) -> Actor:
        return cls(ActorKind.SYSTEM, label=label)

    @property
    def role(self) -> str:
        """The user's role; empty for rules, imports and the system."""
        return self.user.role if self.user is not None else ""
