"""What failed too often is quarantined, shown, and can be tried again."""

from __future__ import annotations

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from leads.refusals import Refused
from tracking.models import Event, PendingEvent, QuarantinedMessage
from tracking.storing import store


def set_aside(event_ids: list[int], *, reason: str, attempts: int) -> None:
    """Quarantine stored events that cannot be attached. The events themselves stay."""
    events = Event.objects.filter(pk__in=event_ids).values_list("pk", "source_id")
    QuarantinedMessage.objects.bulk_create(
        QuarantinedMessage(
            source_id=source_id,
            step=QuarantinedMessage.Step.ATTACH,
            event_id=event_id,
            reason=reason[:2000].replace("\0", ""),
            attempts=attempts,
        )
        for event_id, source_id in events
    )
    PendingEvent.objects.filter(pk__in=event_ids).delete()


@transaction.atomic
def replay(message_id: int) -> None:
    """Try a quarantined message again from the step where it failed.

    Raises Refused when it was replayed before, or when PostgreSQL still refuses it.
    """
    message = QuarantinedMessage.objects.select_for_update(no_key=True).get(pk=message_id)
    if message.replayed_at is not None:
        raise Refused(_("This message was replayed already."))
    if message.step == QuarantinedMessage.Step.STORE:
        _store_again(message)
    elif message.event_id is not None:
        PendingEvent.objects.get_or_create(pk=message.event_id)
    message.replayed_at = now()
    message.save(update_fields=["replayed_at"])


def _store_again(message: QuarantinedMessage) -> None:
    try:
        with transaction.atomic():
            store([message.payload])
            _uncount(message)
    except (DatabaseError, KeyError, ValueError) as error:
        raise Refused(_("It is still refused: %(why)s") % {"why": str(error)[:300]}) from error


def _uncount(message: QuarantinedMessage) -> None:
    """Storing counted it as received today, so it no longer counts on the day it failed."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE tracking_ingestcount SET count = count - 1
             WHERE source_id = %s AND reason = '' AND outcome IN ('received', 'quarantined')
               AND day = (%s AT TIME ZONE %s)::date
            """,
            [message.source_id, message.quarantined_at, settings.REPORTING_TIME_ZONE],
        )
