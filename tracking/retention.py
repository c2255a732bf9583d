"""How long what is kept: set by admins, carried out in small steps by scheduled jobs.

An event goes in two steps, because a message id counts once for ever:

    mark    a digest of its message id is committed to tracking_purgedmessage
    purge   a minute later, the event is deleted, counted, and the mark with it

In between the event and its digest both stand, so a sender that brings the same message
again meets one of them at any instant: no statement that began before the digest was
committed is still running when the event goes. What became a lead's in that minute stays.
IP addresses are shortened before anything is stored, so there is no rule for them.
"""

from __future__ import annotations

from django.conf import settings
from django.db import connection, transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from leads import audit
from leads.actors import Actor
from leads.refusals import Refused
from tracking.models import RetentionRule, RetentionSettings, RetentionSweep

PORTION = 5_000  # events looked at, or deleted, in one transaction
RIPE_SECONDS = 60  # longer than any statement may run
AGAIN_DAYS = 30  # then a rule looks through all events again
FIELDS = ("anonymous_days", "machine_days", "inspected_days")
# Machines first: they go sooner.
_WHO = {
    RetentionRule.MACHINE: "e.verdict >= 2",
    RetentionRule.ANONYMOUS: "true",
}


@transaction.atomic
def set_retention(
    *, anonymous_days: int, machine_days: int, inspected_days: int, by: Actor
) -> RetentionSettings:
    """Say how many days what is kept. Raises Refused when machines would stay longer."""
    if machine_days > anonymous_days:
        raise Refused(_("Events of machines cannot be kept longer than those of people."))
    RetentionSettings.objects.get_or_create(pk=1)
    row = RetentionSettings.objects.select_for_update(no_key=True).get(pk=1)
    wanted = dict(zip(FIELDS, (anonymous_days, machine_days, inspected_days), strict=True))
    changes = {
        name: [getattr(row, name), days]
        for name, days in wanted.items()
        if getattr(row, name) != days
    }
    if changes:
        for name, days in wanted.items():
            setattr(row, name, days)
        row.edited_at = now()
        row.save()
        RetentionSweep.objects.update(next_event_id=0, began_at=now())
        audit.record(by, "set", object_kind="retention", object_id=row.pk, changes=changes)
    return row


def mark(portion: int = PORTION) -> int:
    """Look at the next events in their order, and mark those that may go.

    Returns how many were looked at; 0 when all that are old enough have been.
    """
    kept = RetentionSettings.current()
    return sum(_mark(rule, kept.days_of(rule), portion) for rule in _WHO)


@transaction.atomic
def _mark(rule: RetentionRule, days: int, portion: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_BEGIN_SWEEP, {"rule": rule.value, "again": AGAIN_DAYS})
        cursor.execute(
            _MARK.format(who=_WHO[rule]), {"rule": rule.value, "days": days, "portion": portion}
        )
        row = cursor.fetchone()
    return row[0] if row else 0


_BEGIN_SWEEP = """
INSERT INTO tracking_retentionsweep AS sweep (rule, next_event_id) VALUES (%(rule)s, 0)
ON CONFLICT (rule) DO UPDATE SET next_event_id = 0, began_at = now()
 WHERE sweep.began_at < now() - make_interval(days => %(again)s)
"""
# The window ends before the first event that is too young. Events that wait to be attached, and
# those quarantined because that failed, are not judged yet: the next sweep meets them again.
_MARK = """
WITH sweep AS (
  SELECT next_event_id FROM tracking_retentionsweep WHERE rule = %(rule)s FOR UPDATE SKIP LOCKED),
seen AS MATERIALIZED (
  SELECT e.id, e.source_id, e.message_id, e.lead_id, e.verdict,
         e.received_at < now() - make_interval(days => %(days)s) AS is_old
    FROM tracking_event e WHERE e.id >= (SELECT next_event_id FROM sweep)
   ORDER BY e.id LIMIT %(portion)s),
old AS (
  SELECT * FROM seen
   WHERE id < coalesce((SELECT min(id) FROM seen WHERE NOT is_old), 9223372036854775807)),
chosen AS (
  SELECT e.id, tracking_message_digest(e.source_id, e.message_id) AS digest FROM old e
   WHERE e.lead_id IS NULL AND {who}
     AND NOT EXISTS (SELECT 1 FROM tracking_pendingevent p WHERE p.event_id = e.id)
     AND NOT EXISTS (SELECT 1 FROM tracking_quarantinedmessage q
                      WHERE q.event_id = e.id AND q.replayed_at IS NULL)),
marked AS (
  INSERT INTO tracking_purgemark (event_id, digest, rule)
  SELECT id, digest, %(rule)s FROM chosen ON CONFLICT DO NOTHING),
noted AS (
  INSERT INTO tracking_purgedmessage (digest) SELECT digest FROM chosen ON CONFLICT DO NOTHING),
moved AS (
  UPDATE tracking_retentionsweep SET next_event_id = (SELECT max(id) + 1 FROM old)
   WHERE rule = %(rule)s AND EXISTS (SELECT 1 FROM old) AND EXISTS (SELECT 1 FROM sweep))
SELECT count(*) FROM old
"""


@transaction.atomic
def purge(portion: int = PORTION) -> int:
    """Delete events whose mark is ripe; returns how many marks were worked off."""
    with connection.cursor() as cursor:
        cursor.execute(
            _PURGE,
            {"ripe": RIPE_SECONDS, "portion": portion, "zone": settings.REPORTING_TIME_ZONE},
        )
        return cursor.fetchone()[0]


_PURGE = """
WITH due AS MATERIALIZED (
  SELECT event_id, digest, rule FROM tracking_purgemark
   WHERE marked_at < now() - make_interval(secs => %(ripe)s)
   ORDER BY event_id LIMIT %(portion)s FOR UPDATE SKIP LOCKED),
gone AS (
  DELETE FROM tracking_event e USING due
   WHERE e.id = due.event_id AND e.lead_id IS NULL
     AND NOT EXISTS (SELECT 1 FROM tracking_pendingevent p WHERE p.event_id = e.id)
  RETURNING e.id, e.source_id, due.rule),
counted AS (
  INSERT INTO tracking_purgecount AS mine (source_id, day, rule, count)
  SELECT source_id, (now() AT TIME ZONE %(zone)s)::date, rule, count(*) FROM gone
   GROUP BY source_id, rule ORDER BY source_id, rule
  ON CONFLICT (source_id, day, rule) DO UPDATE SET count = mine.count + excluded.count),
stayed AS (
  DELETE FROM tracking_purgedmessage p USING due
   WHERE p.digest = due.digest AND due.event_id NOT IN (SELECT id FROM gone)),
unmarked AS (
  DELETE FROM tracking_purgemark WHERE event_id = ANY(ARRAY(SELECT event_id FROM due)))
SELECT count(*) FROM due
"""


@transaction.atomic
def forget_visitors(portion: int = PORTION) -> int:
    """Forget browsers that nobody introduced and that were not seen for so long.

    Their visits stay for the figures, under the number that the browser had with us.
    """
    days = RetentionSettings.current().anonymous_days
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"days": days, "portion": portion})
        return cursor.fetchone()[0]


_FORGET = """
WITH old AS MATERIALIZED (
  SELECT v.id, v.anonymous_id FROM tracking_visitor v
   WHERE v.lead_id IS NULL AND v.last_seen_at < now() - make_interval(days => %(days)s)
     AND NOT EXISTS (SELECT 1 FROM tracking_visitorlink k WHERE k.visitor_id = v.id)
     AND NOT EXISTS (SELECT 1 FROM tracking_event e
                      WHERE e.anonymous_id = v.anonymous_id AND e.anonymous_id <> ''
                        AND e.lead_id IS NULL)
   ORDER BY v.id LIMIT %(portion)s FOR UPDATE OF v SKIP LOCKED),
visits AS (
  UPDATE tracking_visit t SET anonymous_id = 'forgotten:' || old.id
    FROM old WHERE t.anonymous_id = old.anonymous_id AND t.lead_id IS NULL),
gone AS (DELETE FROM tracking_visitor v USING old WHERE v.id = old.id)
SELECT count(*) FROM old
"""
