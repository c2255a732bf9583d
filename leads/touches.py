"""Writing down how leads came to us: first and last touch, and the origin on the lead itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from leads.models import Lead
from leads.signals import profile_changed
from leads.touch_models import LeadTouch

_COLUMNS = tuple(field.column for field in LeadTouch._meta.concrete_fields if field.column)


class Origin(NamedTuple):
    """(channel, source, medium, campaign) as written down so far, and as it turned out to be."""

    lead_id: int
    before: tuple[str, str, str, str]
    after: tuple[str, str, str, str]


class Acquaintance(NamedTuple):
    """Since when somebody is known: by a first touch, None without one, and by name."""

    first_touch_at: datetime | None
    added_at: datetime


def verified_among(lead_ids: Iterable[int]) -> dict[int, Acquaintance]:
    """Those of these leads whose address is verified → since when they are known."""
    ids = list(lead_ids)
    if not ids:
        return {}
    verified = Lead.objects.filter(pk__in=ids, is_email_verified=True)
    rows = verified.values_list("pk", "touch__first_at", "created_at")
    return {lead_id: Acquaintance(*known) for lead_id, *known in rows}


def save_touches(lead_ids: Sequence[int], rows: Iterable[tuple]) -> None:
    """Write the touches of these leads; a lead without a row in `rows` was never touched.

    `rows` are the columns of LeadTouch in their order.
    """
    told = list(rows)
    untouched = set(lead_ids) - {row[0] for row in told}
    LeadTouch.objects.filter(lead__in=untouched).delete()
    known = set(Lead.objects.filter(pk__in=lead_ids).values_list("pk", flat=True))
    touches = [
        LeadTouch(**dict(zip(_COLUMNS, row, strict=True))) for row in told if row[0] in known
    ]
    LeadTouch.objects.bulk_create(
        touches,
        update_conflicts=True,
        unique_fields=["lead"],
        update_fields=[column for column in _COLUMNS if column != "lead_id"],
        batch_size=1000,
    )


def restate_origins(changes: Iterable[Origin]) -> int:
    """Set origins right that were taken over from the touch as it was written down before; what
    colleagues or imports said is left alone. Returns how many leads changed."""
    changes = sorted(changes)
    if not changes:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE leads_lead AS lead
               SET channel = new.channel, source = new.source, medium = new.medium,
                   campaign = new.campaign
              FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[],
                          %s::text[], %s::text[], %s::text[], %s::text[])
                   AS new(id, old_channel, old_source, old_medium, old_campaign,
                          channel, source, medium, campaign)
             WHERE lead.id = new.id
               AND (lead.channel, lead.source, lead.medium, lead.campaign)
                   = (new.old_channel, new.old_source, new.old_medium, new.old_campaign)
            RETURNING lead.id
            """,
            [list(column) for column in zip(*((c[0], *c[1], *c[2]) for c in changes), strict=True)],
        )
        changed = sorted(row[0] for row in cursor.fetchall())
    if changed:
        profile_changed.send(sender=LeadTouch, lead_ids=changed)
    return len(changed)
