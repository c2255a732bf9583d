"""Do the books balance? Each check names what does not; an empty list is the proof.

standing = features × weights (all leads, in SQL), features = events and fields (all
leads, in SQL), what SQL counts = what rules.py counts (a sample, in Python),
standing = sum of the ledger's lines (a sample, in Python).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection, transaction

from leads.models import Lead, Standing
from scoring import conditions, dictionaries, folding, rules
from scoring.choosing import between
from scoring.conditions import Parameters
from scoring.governing import current_scores_query, reigns
from scoring.hits import EVENT_INSTANT, read_hits
from scoring.ledger import Ledger, facts_of_many
from scoring.matching import LEAD_TABLES
from scoring.meanings import MEANINGS, Words
from scoring.models import FieldMatch, Rewording, Signal
from scoring.rescore import LARGE_CHUNK, chunks_of_leads, set_limits
from scoring.vocabulary import Axis, Frequency, find_field
from tracking.events import NOT_ACTIVITY
from tracking.models import Verdict

SAMPLE = 500
TOLERANCE = 1e-6
# A lead with work waiting, or put aside, may differ until it is done.
SETTLED = """NOT EXISTS (SELECT 1 FROM scoring_dirtylead d WHERE d.lead_id = {lead})
    AND NOT EXISTS (SELECT 1 FROM scoring_failedlead d WHERE d.lead_id = {lead})"""


@dataclass(frozen=True)
class Discrepancy:
    """One lead whose books do not balance, and how."""

    check: str
    lead_id: int
    detail: str

    def __str__(self) -> str:
        return f"{self.check}: lead {self.lead_id}: {self.detail}"


def verify(sample: int | None = SAMPLE) -> list[Discrepancy]:
    """All checks; `sample` leads for the slow ones (None: all leads)."""
    lead_ids = sample_of_leads(sample)
    return [
        *leads_without_features(),
        *standings_against_features(),
        *features_against_events(),
        *standings_against_ledger(lead_ids),
        *hits_against_rules(lead_ids),
        *matches_against_fields(lead_ids),
    ]


def sample_of_leads(size: int | None) -> list[int]:
    """Evenly spread over all settled leads, the newest among them."""
    ids = list(
        _rows(f"SELECT l.id FROM leads_lead l WHERE {SETTLED.format(lead='l.id')} ORDER BY 1 DESC")
    )
    step = max(1, len(ids) // size) if size else 1
    return sorted(row[0] for row in ids[::step])[-size if size else 0 :]


@transaction.atomic
def _rows(sql: str, parameters: dict | None = None) -> list[tuple]:
    set_limits()
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def leads_without_features() -> list[Discrepancy]:
    """Every lead is folded, or waits to be."""
    rows = _rows(f"""
        SELECT l.id FROM leads_lead l
         WHERE NOT EXISTS (SELECT 1 FROM scoring_leadfeature f WHERE f.lead_id = l.id)
           AND {SETTLED.format(lead="l.id")} ORDER BY l.id""")
    return [Discrepancy("never folded", lead_id, "no features") for (lead_id,) in rows]


def standings_against_features() -> list[Discrepancy]:
    """Every standing is, to the cent, what the features are worth at its own instant."""
    scored_at = "(SELECT s.scored_at FROM leads_standing s WHERE s.lead_id = f.lead_id)"
    query = current_scores_query(SETTLED.format(lead="f.lead_id"), as_of=scored_at)
    # After a dictionary was edited all leads are matched first, then scored.
    if query is None or Rewording.objects.exists():
        return []
    rows = _rows(f"""
        SELECT right_one.lead_id, round(s.score / 100.0, 2), round(right_one.score / 100.0, 2),
               s.quadrant, right_one.quadrant, s.model_version
          FROM ({query}) right_one LEFT JOIN leads_standing s ON s.lead_id = right_one.lead_id
         WHERE (s.score, s.fit, s.interest, s.quadrant, s.is_promising, s.model_version)
               IS DISTINCT FROM (right_one.score, right_one.fit, right_one.interest,
                   right_one.quadrant, right_one.is_promising, right_one.model_version)
         ORDER BY 1""")
    return [
        Discrepancy(
            "standing ≠ features",
            lead_id,
            f"stored {stored} ({place}, model {number}), right {right} ({right_place})",
        )
        for lead_id, stored, right, place, right_place, number in rows
    ]


def features_against_events() -> list[Discrepancy]:
    """Every feature is what counting all events and fields anew would give."""
    signals = list(Signal.objects.all())
    found = []
    for lead_ids in chunks_of_leads(Lead.objects.all(), "pk", LARGE_CHUNK):
        which = between(lead_ids[0], lead_ids[-1])
        parameters = Parameters(**which.values, as_of=folding.database_instant())
        weighed = folding.weighed_query(which, signals, parameters)
        rows = _rows(
            f"""
            WITH fresh AS MATERIALIZED (
                SELECT w.lead_id, w.ordinal, sum(w.weight) AS right_sum
                  FROM ({weighed}) w GROUP BY w.lead_id, w.ordinal)
            SELECT f.lead_id, s.key, f.sums[s.ordinal], fresh.right_sum
              FROM scoring_leadfeature f CROSS JOIN scoring_signal s
              LEFT JOIN fresh ON fresh.lead_id = f.lead_id AND fresh.ordinal = s.ordinal
             WHERE f.lead_id {which.sql} AND s.counted_at IS NOT NULL
               AND {SETTLED.format(lead="f.lead_id")}
               AND abs(coalesce(f.sums[s.ordinal], 0) - coalesce(fresh.right_sum, 0))
                   > {TOLERANCE} * greatest(1, fresh.right_sum)
             ORDER BY 1, 2
            """,
            parameters.values,
        )
        found += [
            Discrepancy("features ≠ events", lead_id, f"{key}: stored {stored}, right {right}")
            for lead_id, key, stored, right in rows
        ]
    return found


def standings_against_ledger(lead_ids: Sequence[int]) -> list[Discrepancy]:
    """The lines of the ledger add up to the standing, to the cent."""
    ledgers = {reign.version.number: Ledger(reign.version) for reign in reigns()}
    found = []
    for some in _slices(lead_ids):
        facts = facts_of_many(some, folding.database_instant())
        standings = Standing.objects.filter(pk__in=some, model_version__in=ledgers)
        for standing in standings.exclude(scored_at=None):
            assert standing.scored_at is not None and standing.model_version
            ledger = ledgers[standing.model_version]
            explanation = ledger.at(facts[standing.lead_id], standing.scored_at)
            total = sum((line.value for line in explanation.lines), Decimal(0))
            right = (explanation.fit, explanation.interest, total)
            if right != (standing.fit, standing.interest, standing.score):
                detail = f"stored {standing.score}, lines {total}"
                found.append(Discrepancy("standing ≠ ledger", standing.lead_id, detail))
    return found


def hits_against_rules(lead_ids: Sequence[int]) -> list[Discrepancy]:
    """The hits that SQL finds are what rules.py, which is not SQL, says about the raw events."""
    signals = [signal for signal in Signal.objects.all() if not signal.is_fit]
    as_of, found = folding.database_instant(), []
    for some in _slices(lead_ids):
        by_sql = {tuple(hit) for hit in read_hits(some, as_of)}
        found += _differences("hits ≠ rules", by_sql, _hits_by_rules(some, signals, as_of))
    return found


def _hits_by_rules(
    lead_ids: Sequence[int], signals: Sequence[Signal], as_of: datetime
) -> set[tuple]:
    names = sorted(_names_of_fields(signals) | {s.distinct_field for s in signals} - {""})
    events: dict[tuple[int, str], list[tuple[int, datetime, dict]]] = defaultdict(list)
    columns = "".join(f", ({_field_sql(name, Axis.INTEREST)})::text" for name in names)
    for lead_id, kind, event_id, at, *texts in _rows(
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
    signals = list(Signal.objects.filter(axis=Axis.FIT).exclude(counted_at=None))
    names = sorted(_names_of_fields(signals))
    words = dictionaries.read(names, with_mail="email_type" in names)
    asked = {s.pk: [conditions.in_words(c, words) for c in s.conditions] for s in signals}
    columns = "".join(f", ({_raw_sql(name)})::text" for name in names)
    found = []
    for some in _slices(lead_ids):
        right = set()
        for lead_id, *texts in _rows(
            f"SELECT l.id{columns} {LEAD_TABLES} WHERE l.id = ANY(%(lead_ids)s)",
            {"lead_ids": list(some)},
        ):
            known = {n: _read(n, t, words) for n, t in zip(names, texts, strict=True)}
            right |= {(lead_id, pk) for pk, each in asked.items() if _all_hold(each, known)}
        open_ones = FieldMatch.objects.filter(lead__in=some, until=None, signal__in=asked)
        stored = set(open_ones.values_list("lead_id", "signal_id"))
        found += _differences("matches ≠ fields", stored, right)
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


def _differences(check: str, stored: set[tuple], right: set[tuple]) -> list[Discrepancy]:
    surplus = [Discrepancy(check, row[0], f"too much: {row[1:]}") for row in stored - right]
    missing = [Discrepancy(check, row[0], f"missing: {row[1:]}") for row in right - stored]
    return sorted([*surplus, *missing], key=str)


def _slices(lead_ids: Sequence[int], size: int = 500) -> Iterable[Sequence[int]]:
    return (lead_ids[start : start + size] for start in range(0, len(lead_ids), size))
