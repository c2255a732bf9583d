"""A verdict changes, and with it whatever followed from the event.

Written down in an append-only log; scores, visits and figures above are told by
`verdicts_changed`, in the same commit. What has happened since to people is not undone: a
lead stays a lead, and consent that was withdrawn stays withdrawn.
"""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection, transaction

from leads.activity import restate_activity
from tracking.events import NOT_ACTIVITY
from tracking.models import Event, Verdict, VerdictChange
from tracking.signals import verdicts_changed
from tracking.verdicts import counted_visitors
from tracking.verdicts.settling import Settled
from tracking.verdicts.weighing import rule_in

# Advisory: one attaches events or restates them at a time, so that no two can dead-lock, and
# whoever attaches knows every rule that a run has begun to apply.
LOCK = 74_001


def hold_attaching() -> None:
    """Wait until nobody attaches events, and keep everybody from it until the commit."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '60s'")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


@transaction.atomic
def restate(settled: Sequence[Settled], *, cause: str = "", rule_id: int | None = None) -> int:
    """Give these events their new verdict, and restate what follows. Returns how many changed.

    The caller holds the lock. `cause` is the check or list that found something, `rule_id`
    the rule that was made or taken back. From events that wait to be attached nothing followed.
    """
    settled = [line for line in settled if line.is_changed]
    if not settled:
        return 0
    _store(settled)
    waiting = _waiting_among(settled)
    attached = [line for line in settled if line.id not in waiting]
    _draw_what_never_counted(attached)
    _log(attached, cause, rule_id)
    _log(_with_history(waiting, settled), cause, rule_id, were_waiting=True)
    if attached:
        _follow(attached)
    return len(attached)


def _follow(settled: Sequence[Settled]) -> None:
    crossing = [line for line in settled if line.crosses]
    restate_activity_of({line.lead_id for line in crossing if line.lead_id})
    counted_visitors.restate({line.anonymous_id for line in crossing} - {""})
    verdicts_changed.send(
        sender=Event,
        lead_ids=sorted({line.lead_id for line in settled if line.lead_id}),
        event_ids=sorted(line.id for line in settled),
        anonymous_ids=sorted({line.anonymous_id for line in settled} - {""}),
        since=min(line.occurred_at for line in settled),
    )


def _store(settled: Sequence[Settled]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE tracking_event e
               SET verdict = new.verdict, verdict_signals = string_to_array(new.signals, ' ')
              FROM unnest(%s::bigint[], %s::smallint[], %s::text[]) AS new(id, verdict, signals)
             WHERE e.id = new.id
            """,
            [
                [line.id for line in settled],
                [line.verdict for line in settled],
                [" ".join(line.signals) for line in settled],
            ],
        )


def _waiting_among(settled: Sequence[Settled]) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT event_id FROM tracking_pendingevent WHERE event_id = ANY(%s)",
            [[line.id for line in settled]],
        )
        return {row[0] for row in cursor.fetchall()}


def _with_history(waiting: set[int], settled: Sequence[Settled]) -> list[Settled]:
    """Those that wait to be attached again: their history goes on."""
    changes = VerdictChange.objects.filter(event_id__in=waiting)
    known = set(changes.values_list("event_id", flat=True)) if waiting else set()
    return [line for line in settled if line.id in known]


def _draw_what_never_counted(settled: Sequence[Settled]) -> None:
    """Events that were a machine's from the beginning are attached once more, as a human's.

    One that counted before had its consequences then, and would draw them twice: its history,
    not yet continued by this change, says so. Having counted only while it waited is nothing.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO tracking_pendingevent (event_id)
            SELECT new.event_id FROM unnest(%(ids)s::bigint[]) AS new(event_id)
             WHERE NOT EXISTS (SELECT FROM tracking_verdictchange c WHERE c.event_id = new.event_id
                                AND c.verdict_before < %(machine)s AND NOT c.was_waiting)
            ON CONFLICT DO NOTHING
            """,
            {
                "ids": [
                    line.id for line in settled if line.crosses and line.verdict < Verdict.MACHINE
                ],
                "machine": int(Verdict.MACHINE),
            },
        )


def _log(
    settled: Sequence[Settled], cause: str, rule_id: int | None, *, were_waiting: bool = False
) -> None:
    if not settled:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO tracking_verdictchange (event_id, verdict_before, verdict, signals_before,
                                                signals, rule_id, cause, was_waiting)
            SELECT id, before, verdict, string_to_array(signals_before, ' '),
                   string_to_array(signals, ' '), rule_id, %s, %s
              FROM unnest(%s::bigint[], %s::bigint[], %s::smallint[], %s::smallint[], %s::text[],
                          %s::text[])
                AS new(id, rule_id, before, verdict, signals_before, signals)
            """,
            [
                cause,
                were_waiting,
                [line.id for line in settled],
                # The rule that decides now, or did until now; two may have been made at once.
                [line.rule_id or rule_in(line.signals_before) or rule_id for line in settled],
                [line.verdict_before for line in settled],
                [line.verdict for line in settled],
                [" ".join(line.signals_before) for line in settled],
                [" ".join(line.signals) for line in settled],
            ],
        )


def restate_activity_of(lead_ids: set[int]) -> None:
    """Take the last activity of these leads from their events anew; it may move back."""
    if lead_ids:
        restate_activity(
            """
            SELECT new.lead_id, (SELECT max(e.occurred_at) FROM tracking_event e
                WHERE e.lead_id = new.lead_id AND e.verdict < %(machine)s
                  AND e.kind <> ALL(%(not)s)) AS at
              FROM unnest(%(leads)s::bigint[]) AS new(lead_id) ORDER BY 1
            """,
            {
                "leads": sorted(lead_ids),
                "machine": int(Verdict.MACHINE),
                "not": sorted(NOT_ACTIVITY),
            },
        )
