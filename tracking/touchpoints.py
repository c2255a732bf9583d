"""What happened away from the web: noted by hand or imported, and tracked like all else.

A touchpoint is an event of a built-in source, stored through the collector's own
steps and attached, scored and shown by the relay. So nothing else has to know of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from leads.actors import Actor
from leads.models import Lead
from leads.refusals import Refused
from leads.stages import Stage
from leads.survivors import survivor_of
from tracking.events import TOUCHPOINTS
from tracking.ingest import Envelope, prepare
from tracking.models import Event, Source
from tracking.storing import store

BY_HAND, IMPORTED = "By hand", "Import"
BUILT_IN = (BY_HAND, IMPORTED)  # sources that the product fills itself
OLDEST = timedelta(days=365 * 25)


@dataclass(frozen=True)
class Touchpoint:
    """Something that happened with a lead. `key` is unique for ever within its source."""

    lead: Lead
    kind: str
    at: datetime
    key: str
    title: str = ""
    place: str = ""  # the review site, the network, the fair
    note: str = ""


def source_called(name: str) -> Source:
    """The built-in source of this name."""
    source, _is_new = Source.objects.get_or_create(name=name, defaults={"kind": Source.Kind.SERVER})
    return source


@transaction.atomic
def note_by_hand(touchpoint: Touchpoint, *, by: Actor) -> bool:
    """Note what a colleague saw or did. Returns whether it was new: sent twice, it is noted once.

    Raises Refused with a sentence.
    """
    lead = Lead.objects.select_for_update(no_key=True).get(pk=touchpoint.lead.pk)
    complaint = what_is_wrong(lead, touchpoint.kind, touchpoint.at)
    if complaint:
        raise Refused(complaint)
    source = source_called(BY_HAND)
    is_new = bool(record([touchpoint], source, noted_by=by.label))
    if not is_new:
        _require_noted_with(lead, source, touchpoint.key)
    return is_new


def _require_noted_with(lead: Lead, source: Source, key: str) -> None:
    """Sent twice, a touchpoint is noted once; but never with one lead instead of another."""
    owner_id = Event.objects.values_list("lead_id", flat=True).get(source=source, message_id=key)
    if owner_id is None or survivor_of(owner_id) != lead.pk:
        raise Refused(
            _("Nothing was noted: this form has been sent for another lead. Open this page anew.")
        )


def what_is_wrong(lead: Lead, kind: str, at: datetime) -> str:
    """A sentence about what cannot be noted; "" when it can."""
    if lead.stage == Stage.MERGED:
        return _("This lead was merged into another one. Note it there.")
    if kind not in TOUCHPOINTS:
        return _("Choose what happened.")
    if at > now():
        return _("This lies in the future. Note it when it has happened.")
    return "" if at > now() - OLDEST else _("This is too long ago.")


@transaction.atomic
def record(touchpoints: Sequence[Touchpoint], source: Source, *, noted_by: str) -> int:
    """Store touchpoints as events of their leads; returns how many were new."""
    if not touchpoints:
        return 0
    envelope = Envelope(source.pk, is_trusted=True, received_at=now())
    rows = [prepare(_message(each, noted_by), envelope) for each in touchpoints]
    count = store(rows)
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE tracking_event AS event SET lead_id = told.lead_id
              FROM unnest(%s::text[], %s::bigint[]) AS told (message_id, lead_id)
             WHERE event.source_id = %s AND event.message_id = told.message_id
               AND event.lead_id IS NULL
            """,
            [
                [row["message_id"] for row in rows],
                [each.lead.pk for each in touchpoints],
                source.pk,
            ],
        )
    return count


def _message(touchpoint: Touchpoint, noted_by: str) -> dict:
    """As a client of the Segment API would send it."""
    said = {
        "title": touchpoint.title,
        "site": touchpoint.place,
        "note": touchpoint.note,
        "noted_by": noted_by,
    }
    return {
        "type": "track",
        "event": touchpoint.kind.replace("_", " ").title(),
        "userId": f"lead:{touchpoint.lead.public_id}",
        "messageId": touchpoint.key,
        "timestamp": touchpoint.at.isoformat(),
        "properties": {name: value for name, value in said.items() if value},
    }
