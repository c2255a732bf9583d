"""Clicks in mails, looked at once more when a page view should have followed: a drain.

The work row is written with the attaching of the click, and carries its due time.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime

from django.db import connection, transaction

from tracking.models import Event, Verdict, VerdictCheck
from tracking.verdicts import behaviour
from tracking.verdicts.restating import hold_attaching, restate
from tracking.verdicts.settling import settle_with

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 5
LEASE_SECONDS = 60


def ask_for_beacons(event_ids: Iterable[int]) -> None:
    """Have these clicks checked when a page view should have been reported."""
    wanted = sorted(event_ids)
    limit = behaviour.thresholds("no_page_beacon").get("no_page_beacon") if wanted else None
    if limit is None:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO tracking_verdictcheck (event_id, due_at)
            SELECT id, now() + make_interval(secs => %s) FROM unnest(%s::bigint[]) AS id
            ON CONFLICT DO NOTHING
            """,
            [limit.seconds, wanted],
        )


def ask_again(*, above: int, until: int, seconds: int) -> None:
    """Have clicks above < id <= until, after which a page view may still come within these
    seconds, checked when they are over: they were edited."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO tracking_verdictcheck AS mine (event_id, due_at)
            SELECT id, received_at + make_interval(secs => %(seconds)s) FROM tracking_event
             WHERE id > %(above)s AND id <= %(until)s AND kind = 'email_link_clicked'
               AND lead_id IS NOT NULL AND verdict < %(machine)s
               AND received_at > now() - make_interval(secs => %(seconds)s)
            ON CONFLICT (event_id) DO UPDATE SET due_at = excluded.due_at WHERE mine.attempts = 0
            """,
            {
                "above": above,
                "until": until,
                "seconds": seconds,
                "machine": int(Verdict.MACHINE),
            },
        )


def drain(limit: int = 200) -> int:
    """Check up to `limit` clicks that are due. Returns how many work rows it took."""
    claimed = _claim(limit)
    if claimed:
        _check_somehow(claimed)
    return len(claimed)


def _claim(limit: int) -> list[int]:
    """Count the attempt before any work; what failed before comes alone."""
    with transaction.atomic(), connection.cursor() as cursor:
        for condition, most in (("attempts = 0", limit), ("attempts > 0", 1)):
            cursor.execute(
                _CLAIM.format(condition=condition),
                {"limit": most, "lease": LEASE_SECONDS, "attempts": MOST_ATTEMPTS},
            )
            if claimed := [row[0] for row in cursor.fetchall()]:
                return claimed
    return []


# An array, not a join: statistics of a queue are those of an empty one.
_CLAIM = """
WITH due AS (
  SELECT event_id FROM tracking_verdictcheck
   WHERE due_at <= statement_timestamp() AND attempts < %(attempts)s AND {condition}
   ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
UPDATE tracking_verdictcheck c
   SET attempts = c.attempts + 1, due_at = statement_timestamp() + make_interval(secs => %(lease)s)
 WHERE c.event_id = ANY(ARRAY(SELECT event_id FROM due)) RETURNING c.event_id
"""


def _check_somehow(event_ids: list[int]) -> None:
    """All at once; if that fails, one by one, so that one bad event harms no other."""
    try:
        _check(event_ids)
    except Exception as error:
        if len(event_ids) == 1:
            log.exception("The click %s could not be checked.", event_ids[0])
            VerdictCheck.objects.filter(pk__in=event_ids).update(error=repr(error)[:500])
            return
        for event_id in event_ids:
            _check_somehow([event_id])


@transaction.atomic
def _check(event_ids: list[int]) -> None:
    hold_attaching()
    found = {event_id: ["no_page_beacon"] for event_id in behaviour.without_beacon(event_ids)}
    restate(settle_with(found), cause="no_page_beacon")
    # By now the mail provider has said when it delivered.
    clicks = Event.objects.filter(pk__in=event_ids, lead__isnull=False)
    look_at_mails(clicks.values_list("lead_id", "occurred_at"))
    VerdictCheck.objects.filter(pk__in=event_ids).delete()


def look_at_mails(instants: Iterable[tuple[int, datetime]]) -> None:
    """See what was done with mails about these (lead id, instant). The caller holds the lock."""
    for signal, found in behaviour.in_mails(behaviour.spans_of(instants)).items():
        restate(settle_with({event_id: [signal] for event_id in found}), cause=signal)
