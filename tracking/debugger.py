"""Second chances for refused messages, and the bounds of what the debugger keeps."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from leads import audit
from leads.actors import Actor
from leads.refusals import Refused
from tracking import quarantine
from tracking.ingest import Envelope, Row, prepare
from tracking.inspection import SHOWN_OF_ONE, sentence_of
from tracking.models import IngestCount, InspectedMessage, RetentionSettings
from tracking.steps import Dropped
from tracking.storing import store

Outcome = IngestCount.Outcome


@transaction.atomic
def mend(inspected_id: int, message: Any, *, by: Actor) -> InspectedMessage:
    """Store a refused message after somebody set it right, under the id that it came with.

    It then counts as received and accepted (or duplicate) today, and no longer as rejected
    on the day it came. Raises Refused, also when it still cannot be stored.
    """
    inspected = _lock(inspected_id)
    if inspected.outcome != Outcome.REJECTED:
        raise Refused(_("Only a rejected message can be mended."))
    if inspected.mended_at is not None:
        raise Refused(_("This message was mended already."))
    row = _prepare(inspected, message)
    try:
        with transaction.atomic():
            store([row])
    except (DatabaseError, ValueError) as error:
        why = {"why": str(error)[:300]}
        raise Refused(_("It is still refused: %(why)s") % why) from error
    _uncount(inspected)
    inspected.mended_at = now()
    inspected.message_id = row["message_id"]
    inspected.save(update_fields=["mended_at", "message_id"])
    changes = {"message_id": row["message_id"], "reason": inspected.reason}
    audit.record(by, "mended", object_kind="message", object_id=inspected.pk, changes=changes)
    return inspected


@transaction.atomic
def replay(inspected_id: int, *, by: Actor) -> InspectedMessage:
    """Try a quarantined message again. Raises Refused."""
    inspected = _lock(inspected_id)
    if inspected.quarantined_id is None:
        raise Refused(_("Only a quarantined message can be replayed."))
    quarantine.replay(inspected.quarantined_id)
    inspected.mended_at = now()
    inspected.save(update_fields=["mended_at"])
    changes = {"quarantined": inspected.quarantined_id}
    audit.record(by, "replayed", object_kind="message", object_id=inspected.pk, changes=changes)
    return inspected


def trim() -> int:
    """Keep the last SHOWN_OF_ONE messages of each source and outcome, and no old ones."""
    with connection.cursor() as cursor:
        days = RetentionSettings.current().inspected_days
        cursor.execute(_TRIM, {"kept": SHOWN_OF_ONE, "days": days})
        return cursor.rowcount


_TRIM = """
DELETE FROM tracking_inspectedmessage WHERE id IN (
  SELECT id FROM (
    SELECT id, at, row_number() OVER (PARTITION BY source_id, outcome ORDER BY id DESC) AS place
      FROM tracking_inspectedmessage) ranked
   WHERE place > %(kept)s OR at < now() - make_interval(days => %(days)s)
   LIMIT 50000)
"""


def _lock(inspected_id: int) -> InspectedMessage:
    messages = InspectedMessage.objects.select_for_update(no_key=True, of=("self",))
    return messages.select_related("key").get(pk=inspected_id)


def _prepare(inspected: InspectedMessage, message: Any) -> Row:
    """The row that the mended message means, as of when it came. Raises Refused."""
    envelope = Envelope(
        source_id=inspected.source_id,
        is_trusted=inspected.key is not None and inspected.key.is_secret,
        received_at=inspected.at,
        call="" if inspected.call in ("batch", "pixel") else inspected.call,
    )
    try:
        row = prepare(message, envelope)
    except Dropped as drop:
        raise Refused(sentence_of(drop.reason)) from None
    # Without an id of its own it gets one that mending it twice would give again.
    row["message_id"] = inspected.message_id or f"mended-{inspected.pk}"
    return row


def _uncount(inspected: InspectedMessage) -> None:
    """Storing counted it as received today, so it no longer counts on the day it was refused."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE tracking_ingestcount SET count = count - 1
             WHERE source_id = %s AND day = (%s AT TIME ZONE %s)::date
               AND ((outcome = 'received' AND reason = '')
                    OR (outcome = 'rejected' AND reason = %s))
            """,
            [inspected.source_id, inspected.at, settings.REPORTING_TIME_ZONE, inspected.reason],
        )
