"""What the page about retention reads: what goes next, what went, which jobs ran."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection
from django.db.models import Sum

from tracking.models import JobRun, PurgeCount, PurgeMark, RetentionRule, RetentionSettings

LOOKED_AT = 50_000  # events, at most, to say what goes tomorrow
SHOWN_RUNS = 20


@dataclass(frozen=True)
class Outlook:
    """What a rule takes at its next run. `is_more`: more than `events` of them."""

    rule: RetentionRule
    days: int
    events: int
    is_more: bool


@dataclass(frozen=True)
class Purged:
    """What a rule took so far."""

    rule: RetentionRule
    events: int


def outlook(kept: RetentionSettings) -> list[Outlook]:
    """What will be purged within a day, by rule."""
    return [_next_of(rule, kept.days_of(rule)) for rule in RetentionRule]


def waiting_count() -> int:
    """Events whose message ids are noted and that go within minutes."""
    return PurgeMark.objects.count()


def purged() -> list[Purged]:
    found = dict(PurgeCount.objects.values_list("rule").annotate(n=Sum("count")).order_by())
    return [Purged(rule, found.get(rule.value, 0)) for rule in RetentionRule]


def runs() -> list[JobRun]:
    """The last runs that did something, and those that failed or still go on."""
    return list(JobRun.objects.exclude(finished_at__isnull=False, done=0)[:SHOWN_RUNS])


def _next_of(rule: RetentionRule, days: int) -> Outlook:
    with connection.cursor() as cursor:
        cursor.execute(
            _NEXT,
            {"rule": rule.value, "days": days, "most": LOOKED_AT, "lowest": _LOWEST[rule]},
        )
        looked_at, events = cursor.fetchone()
    return Outlook(rule, days, events, looked_at == LOOKED_AT)


_LOWEST = {RetentionRule.MACHINE: 2, RetentionRule.ANONYMOUS: 0}
# The next events in the order of their ids, which is that of their arrival.
_NEXT = """
SELECT count(*), count(*) FILTER (WHERE is_old AND lead_id IS NULL AND verdict >= %(lowest)s)
  FROM (SELECT lead_id, verdict,
               received_at < now() - make_interval(days => %(days)s - 1) AS is_old
          FROM tracking_event
         WHERE id >= coalesce((SELECT next_event_id FROM tracking_retentionsweep
                                WHERE rule = %(rule)s), 0)
         ORDER BY id LIMIT %(most)s) soon
 WHERE is_old
"""
