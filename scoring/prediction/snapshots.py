"""What was known of a lead at an instant: the features, frozen.

Whatever came later does not exist here: an event that happened or arrived later; what a
browser did that was linked to the lead only later; a field that was corrected later (the
audit log gives back what stood there before); a fit signal that held only later; an
account that was written down later.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import batched

from django.db import connection

from leads.models import AuditEntry
from scoring.models import Rule, Signal
from scoring.prediction.tables import Cell
from scoring.vocabulary import Axis
from tracking.events import NOT_SCORED
from tracking.models import Verdict

HALF_LIFE_DAYS = 14
RECENT_DAYS = 30
MOST_KINDS = 25
BATCH = 2_000
# What a lead's row says; the audit log knows when one of them was corrected.
LEAD_FIELDS = ("channel", "source", "medium", "campaign", "country")
ACCOUNT_FIELDS = ("industry", "employee_count", "country")


@dataclass(frozen=True)
class Spec:
    """Which features are read: kinds of events and fit signals, fixed when a training begins."""

    kinds: tuple[str, ...]
    signals: tuple[tuple[int, str], ...]  # (id, key)

    @property
    def names(self) -> tuple[str, ...]:
        events = (f"{what}:{kind}" for kind in self.kinds for what in ("recent", "count"))
        fits = (f"fit:{key}" for _id, key in self.signals)
        return (*_OWN_NAMES, *fits, *events)

    def as_json(self) -> dict:
        return {"kinds": list(self.kinds), "signals": [list(signal) for signal in self.signals]}

    @classmethod
    def from_json(cls, data: dict) -> Spec:
        return cls(tuple(data["kinds"]), tuple((pk, key) for pk, key in data["signals"]))


_OWN_NAMES = (
    "known_days",
    *(f"lead:{name}" for name in LEAD_FIELDS),
    "lead:email_type",
    *(f"account:{name}" for name in ACCOUNT_FIELDS),
    "account:colleagues",
    "events:recent",
    "events:count",
    "events:active_days",
    "events:days_since_last",
)


def spec_for(instants: Mapping[int, datetime]) -> Spec:
    """The kinds of events that these leads did most often before their instants, and the signals
    of fit that counted in a published version: what stands in a draft only is nobody's word yet."""
    seen: Counter[str] = Counter()
    for some in batched(sorted(instants), BATCH):
        for _lead, kind, *_counts in _event_rows({pk: instants[pk] for pk in some}):
            seen[kind] += 1
    kinds = tuple(sorted(kind for kind, _n in seen.most_common(MOST_KINDS)))
    counted = Rule.objects.exclude(version__published_at=None)
    signals = Signal.objects.filter(axis=Axis.FIT, pk__in=counted.values("signal"))
    return Spec(kinds, tuple(signals.order_by("ordinal").values_list("pk", "key")))


def read(instants: Mapping[int, datetime], spec: Spec) -> dict[str, list[Cell]]:
    """Columns by name, cells in the order of `instants`. What is not known is None."""
    columns: dict[str, list[Cell]] = {name: [] for name in spec.names}
    for some in batched(instants, BATCH):
        part = {lead_id: instants[lead_id] for lead_id in some}
        rows = _rows(part, spec)
        for lead_id in some:
            for name in spec.names:
                columns[name].append(rows[lead_id].get(name))
    return columns


def _rows(instants: Mapping[int, datetime], spec: Spec) -> dict[int, dict[str, Cell]]:
    rows: dict[int, dict[str, Cell]] = {lead_id: {} for lead_id in instants}
    _add_fields(rows, instants)
    _add_matches(rows, instants, spec)
    _add_events(rows, instants, spec)
    return rows


def _pairs(instants: Mapping[int, datetime]) -> dict[str, list]:
    return {"lead_ids": list(instants), "instants": list(instants.values())}


_LOOKED_AT = """
looked_at (lead_id, instant) AS MATERIALIZED (
    SELECT * FROM unnest(%(lead_ids)s::bigint[], %(instants)s::timestamptz[])
)"""
# An account counts from when it was written down; one that came with the lead's own
# history counts from the lead's beginning.
_FIELDS = f"""
WITH {_LOOKED_AT}
SELECT l.id, extract(epoch FROM i.instant - least(l.created_at, first.entered_at)) / 86400,
       l.channel, l.source, l.medium, l.campaign, l.country,
       CASE WHEN l.email <> '' THEN coalesce(m.kind, 'corporate') END,
       a.industry, a.employee_count, a.country,
       (SELECT count(*) FROM leads_lead o JOIN leads_stageepisode b
            ON b.lead_id = o.id AND b.seq = 1
         WHERE o.account_id = a.id AND o.id <> l.id
           AND least(o.created_at, b.entered_at) <= i.instant)
  FROM looked_at i JOIN leads_lead l ON l.id = i.lead_id
  LEFT JOIN leads_stageepisode first ON first.lead_id = l.id AND first.seq = 1
  LEFT JOIN leads_account a ON a.id = l.account_id
       AND a.created_at <= greatest(i.instant, l.created_at)
  LEFT JOIN scoring_maildomain m ON m.domain = split_part(lower(l.email), '@', 2)
"""


def _add_fields(rows: dict[int, dict[str, Cell]], instants: Mapping[int, datetime]) -> None:
    names = [name for name in _OWN_NAMES if not name.startswith("events:")]
    with connection.cursor() as cursor:
        cursor.execute(_FIELDS, _pairs(instants))
        for lead_id, *cells in cursor.fetchall():
            rows[lead_id].update(
                (name, _cell(value)) for name, value in zip(names, cells, strict=True)
            )
    for row in rows.values():
        if row.get("lead:channel") == "unknown":
            row["lead:channel"] = None
    _undo_corrections(rows, instants)


def _cell(value) -> Cell:
    if value is None or isinstance(value, str):
        return value or None
    return float(value)


def _undo_corrections(rows: dict[int, dict[str, Cell]], instants: Mapping[int, datetime]) -> None:
    """Put back what stood in a field before it was corrected after the instant."""
    entries = AuditEntry.objects.filter(
        object_kind="lead",
        object_id__in=list(instants),
        at__gt=min(instants.values()),
        changes__has_any_keys=LEAD_FIELDS,
    ).order_by("-at", "-id")
    for lead_id, at, changes in entries.values_list("object_id", "at", "changes"):
        if lead_id is None or at <= instants[lead_id]:
            continue
        for name in LEAD_FIELDS:
            if name in changes:
                before = changes[name][0]
                is_text = isinstance(before, str) and before not in ("", "unknown")
                rows[lead_id][f"lead:{name}"] = before if is_text else None


_MATCHES = f"""
WITH {_LOOKED_AT}
SELECT m.lead_id, m.signal_id FROM looked_at i
  JOIN scoring_fieldmatch m ON m.lead_id = i.lead_id AND m.since <= i.instant
       AND (m.until IS NULL OR m.until > i.instant) AND m.signal_id = ANY(%(signals)s)
"""


def _add_matches(
    rows: dict[int, dict[str, Cell]], instants: Mapping[int, datetime], spec: Spec
) -> None:
    """Fit signals: "yes" while they held, "no" otherwise."""
    keys = dict(spec.signals)
    for row in rows.values():
        row.update((f"fit:{key}", "no") for key in keys.values())
    with connection.cursor() as cursor:
        cursor.execute(_MATCHES, {**_pairs(instants), "signals": list(keys)})
        for lead_id, signal_id in cursor.fetchall():
            rows[lead_id][f"fit:{keys[signal_id]}"] = "yes"


# `links` knows since when a browser has been this lead's.
_EVENTS = f"""
WITH {_LOOKED_AT}, links AS MATERIALIZED (
    SELECT k.lead_id, v.anonymous_id, min(k.started_at) AS started_at
      FROM looked_at i JOIN tracking_visitorlink k ON k.lead_id = i.lead_id
      JOIN tracking_visitor v ON v.id = k.visitor_id GROUP BY 1, 2
)
SELECT e.lead_id, e.kind, count(*),
       sum(power(2::float8, greatest(-1000.0,
           -date_part('epoch', i.instant - e.occurred_at) / 86400 / {HALF_LIFE_DAYS}))),
       count(*) FILTER (WHERE e.occurred_at > i.instant - interval '{RECENT_DAYS} days'),
       array_agg(DISTINCT (e.occurred_at AT TIME ZONE 'UTC')::date),
       date_part('epoch', min(i.instant - e.occurred_at)) / 86400
  FROM looked_at i JOIN tracking_event e ON e.lead_id = i.lead_id
       AND e.occurred_at <= i.instant AND e.received_at <= i.instant
  LEFT JOIN links k ON k.lead_id = e.lead_id AND k.anonymous_id = e.anonymous_id
       AND e.anonymous_id <> ''
 WHERE e.verdict < {Verdict.MACHINE:d} AND e.kind <> ALL(%(unscored)s)
   AND (k.started_at IS NULL OR k.started_at <= i.instant)
 GROUP BY e.lead_id, e.kind
"""


def _event_rows(instants: Mapping[int, datetime]) -> list[tuple]:
    """(lead, kind, count, decayed sum, count of the last 30 days, days, days since the last)."""
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS, {**_pairs(instants), "unscored": sorted(NOT_SCORED)})
        return cursor.fetchall()


def _add_events(
    rows: dict[int, dict[str, Cell]], instants: Mapping[int, datetime], spec: Spec
) -> None:
    """Counts: no event is 0, and that is known. Only "days since the last" may be unknown."""
    zeros = [n for n in spec.names if n.startswith(("recent:", "count:"))]
    for row in rows.values():
        row.update(dict.fromkeys([*zeros, *_EVENT_TOTALS], 0.0))
        row["events:days_since_last"] = None
    days: dict[int, set] = defaultdict(set)
    for lead_id, kind, count, decayed, recent, dates, last in _event_rows(instants):
        row = rows[lead_id]
        if kind in spec.kinds:
            row[f"count:{kind}"], row[f"recent:{kind}"] = float(count), float(decayed)
        row["events:count"] = _plus(row["events:count"], count)
        row["events:recent"] = _plus(row["events:recent"], recent)
        days[lead_id].update(dates)
        so_far = row["events:days_since_last"]
        row["events:days_since_last"] = last if so_far is None else min(float(so_far), last)
    for lead_id, dates in days.items():
        rows[lead_id]["events:active_days"] = float(len(dates))


_EVENT_TOTALS = ("events:recent", "events:count", "events:active_days")


def _plus(total: Cell, more: int) -> float:
    return float(total or 0) + more
