"""Who changed or took away what, outside the lifecycle. Append-only."""

from __future__ import annotations

from leads.actors import Actor
from leads.models import AuditEntry
from users.models import User


def record(
    by: Actor,
    verb: str,
    *,
    object_kind: str,
    object_id: int | None = None,
    changes: dict | None = None,
    reason: str = "",
) -> AuditEntry:
    """Append one entry. `changes` is {field: [before, after]} in JSON values."""
    return AuditEntry.objects.create(
        actor=by.user,
        actor_label=by.label,
        verb=verb,
        object_kind=object_kind,
        object_id=object_id,
        changes=changes or {},
        reason=reason,
    )


def record_export(user: User, query: dict[str, str]) -> AuditEntry:
    """Personal data leaves the house: remember who took which list."""
    wanted = {key: value[:200] for key, value in query.items() if value}
    return record(Actor.of(user), "exported", object_kind="lead", changes={"filter": wanted})
