"""Events that came at another time or from another place than a test can send them."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction

from tracking.models import Event


@transaction.atomic
def change_events(changes: dict[str, Any], **which) -> None:
    """Change what was told by the events `which`, as PostgreSQL allows nobody but an erasure."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL funnel.erasing = 'on'")
        Event.objects.filter(**which).update(**changes)
        cursor.execute("SET LOCAL funnel.erasing = 'off'")
