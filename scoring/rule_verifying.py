"""Does SQL say what rules.py and meanings.py, which are not SQL, say about events and fields?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from scoring import conditions, dictionaries, folding, rules
from scoring.discrepancies import Discrepancy, compare_in_slices, differences, rows
from scoring.hits import EVENT_INSTANT, read_hits
from scoring.matching import LEAD_TABLES
from scoring.meanings import MEANINGS, Words
from scoring.models import FieldMatch, Signal
from scoring.vocabulary import Axis, Frequency, find_field
from tracking.events import NOT_ACTIVITY
from tracking.models import Verdict


def hits_against_rules(lead_ids: Sequence[int]) -> list[Discrepancy]:
    """The hits that SQL finds are what rules.py, which is not SQL, says about the raw events."""
    return compare_in_slices(lead_ids, _compare_hits)


def _compare_hits(lead_ids: Sequence[int]) -> list[Discrepancy]:
    signals = [signal for signal in Signal.objects.all() if not signal.is_fit]
    as_of = folding.database_instant()
    by_sql = {tuple(hit) for hit in read_hits(lead_ids, as_of)}
    return differences("hits ≠ rules", by_sql, _hits_by_rules(lead_ids, signals, as_of))


def _hits_by_rules(
    lead_ids: Sequence[int], signals: Sequence[Signal], as_of: datetime
) -> set[tuple]:
    names = sorted(_names_of_fields(signals) | {s.distinct_field for s in signals} - {""})
    events: dict[tuple[int, str], list[tuple[int, datetime, dict]]] = defaultdict(list)
    columns = "".join(f", ({_field_sql(name, Axis.INTEREST)})::text" for name in names)
    for lead_id, kind, event_id, at, *texts in rows(
        f"""SELECT e.lead_id, e.kind, e.id, {EVENT_INSTANT}{columns} FROM tracking_event e
             WHERE e.lead_id = ANY(%(lead_ids)s) AND e.verdict < {Verdict.MACHINE:d}
               AND {EVENT_INSTANT} <= %(as_of)s""",
        {"lead_ids": list(lead_ids), "as_of": as_of},
    ):
        known = dict(zip(names, texts, strict=True))
        events[lead_id, kind].append((event_id, at, known))
    return {
        (lead_id, signal.pk, *held)
        for signal in signals
        for lead_id in lead_ids
        for held in _held(signal, _events_for(signal, lead_id, events))
        if held.since <= as_of
    }


def _events_for(
    signal: Signal, lead_id: int, events: dict[tuple[int, str], list[tuple]]
) -> list[tuple]:
    if signal.event_kind:
        return events[lead_id, signal.event_kind]
    return [
        event
        for (whose, kind), some in list(events.items())
        if whose == lead_id and kind not in NOT_ACTIVITY
        for event in some
    ]


def _held(signal: Signal, events: Iterable[tuple[int, datetime, dict]]) -> Iterable[rules.Held]:
    matching = [
        rules.Occurrence(at, event_id, known.get(signal.distinct_field) or "")
        for event_id, at, known in events
        if _all_hold(signal.conditions, known)
    ]
    if signal.inactive_days:
        return rules.silences(matching, signal.inactive_days)
    is_one = signal.frequency in (Frequency.ONCE, Frequency.PER_DISTINCT)
    frequency = Frequency.EVERY if signal.window_days and is_one else Frequency(signal.frequency)
    chosen = rules.counted(
        matching,
        frequency=frequency.value,
        max_count=signal.max_count,
        period_days=signal.period_days,
        zone=ZoneInfo(settings.REPORTING_TIME_ZONE),
    )
    if signal.window_days:
        alike = signal.frequency == Frequency.PER_DISTINCT
        one_kind = chosen if alike else [replace(one, distinct="") for one in chosen]
        return rules.within_window(one_kind, signal.window_days, only_newest=is_one)
    return [rules.Held(one.event_id, one.occurred_at, None) for one in chosen]


def matches_against_fields(lead_ids: Sequence[int]) -> list[Discrepancy]:
    """The open matches are what rules.py says about the fields of the leads.

    What a text means is read by meanings.py from the text itself, not by the SQL that
    matched it. A signal that is being looked for again is left out until it is done.
    """
    return compare_in_slices(lead_ids, _compare_matches)


def _compare_matches(lead_ids: Sequence[int]) -> list[Discrepancy]:
    signals = list(Signal.objects.filter(axis=Axis.FIT).exclude(counted_at=None))
    open_ones = FieldMatch.objects.filter(lead__in=lead_ids, until=None, signal__in=signals)
    stored = set(open_ones.values_list("lead_id", "signal_id"))
    return differences("matches ≠ fields", stored, _matches_by_rules(lead_ids, signals))


def _matches_by_rules(lead_ids: Sequence[int], signals: Sequence[Signal]) -> set[tuple]:
    names = sorted(_names_of_fields(signals))
    words = dictionaries.read(names, with_mail="email_type" in names)
    asked = {s.pk: [conditions.in_words(c, words) for c in s.conditions] for s in signals}
    columns = "".join(f", ({_raw_sql(name)})::text" for name in names)
    found = set()
    for lead_id, *texts in rows(
        f"SELECT l.id{columns} {LEAD_TABLES} WHERE l.id = ANY(%(lead_ids)s)",
        {"lead_ids": list(lead_ids)},
    ):
        known = {n: _read(n, t, words) for n, t in zip(names, texts, strict=True)}
        found |= {(lead_id, pk) for pk, each in asked.items() if _all_hold(each, known)}
    return found


def _raw_sql(name: str) -> str:
    """What the meaning of a field is read from; of other fields what they are."""
    field = find_field(name, Axis.FIT)
    raw = "nullif(l.email, '')" if name == "email_type" else field.source if field else ""
    return raw or _field_sql(name, Axis.FIT)


def _read(name: str, text: str | None, words: Words) -> str | None:
    meaning = MEANINGS.get(name)
    return meaning(text, words) if meaning and text is not None else text


def _names_of_fields(signals: Iterable[Signal]) -> set[str]:
    return {condition["field"] for signal in signals for condition in signal.conditions}


def _field_sql(name: str, axis: str) -> str:
    field = find_field(name, axis)
    return field.sql if field else "NULL"


def _all_hold(asked: list[dict], known: dict[str, Any]) -> bool:
    return all(rules.holds(c["operator"], c.get("value"), known.get(c["field"])) for c in asked)
