"""What stored events are by everything known now: their evidence, the lists, and the rules.

One statement for one batch that arrives and for twenty million events gone through again,
so that both can only say the same. Nothing here writes; see restating.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from tracking.models import VerdictRule, VerdictSignal
from tracking.verdicts.weighing import (
    DEFAULT_EFFECTS,
    MACHINE,
    RULE_PREFIX,
    VERDICT_OF_RULE,
    evidence_in,
    weigh,
)


class Settled(NamedTuple):
    """An event with its verdict and signals as stored, and as they should be."""

    id: int
    lead_id: int | None
    anonymous_id: str
    kind: str
    occurred_at: datetime
    verdict_before: int
    signals_before: list[str]
    verdict: int
    signals: list[str]
    rule_id: int | None  # the rule that decides

    @property
    def is_changed(self) -> bool:
        return (self.verdict, self.signals) != (self.verdict_before, self.signals_before)

    @property
    def crosses(self) -> bool:
        """Whether it begins to count for something, or ceases to."""
        return (self.verdict >= MACHINE) != (self.verdict_before >= MACHINE)


def settle(which: str, parameters: dict[str, Any]) -> list[Settled]:
    """The events that are something else than they were, in the order of their ids.

    `which` is SQL over the alias `e` of tracking_event.
    """
    return [line for line in _judge(which, parameters, _HAS_SIGNALS) if line.is_changed]


def settle_events(event_ids: Iterable[int]) -> list[Settled]:
    """As settle, for these events."""
    return settle("e.id = ANY(%(ids)s)", {"ids": sorted(event_ids)})


def settle_anew(
    which: str,
    parameters: dict[str, Any],
    signal: str,
    found: Iterable[int],
    effects: Mapping[str, str] | None = None,
) -> list[Settled]:
    """As settle, when this signal was looked for anew: the events `found` have it, and no others.

    `effects` are what signals would mean; by default, what they mean at the moment.
    """
    effects = effects or read_effects()
    has_it = set(found)
    worth = f"{_HAS_SIGNALS} OR e.id = ANY(%(found)s)"
    fresh = []
    for line in _judge(which, {**parameters, "found": sorted(has_it)}, worth):
        signals = sorted(
            {*line.signals, signal} if line.id in has_it else {*line.signals} - {signal}
        )
        verdict = line.verdict if line.rule_id else weigh(signals, effects)
        fresh.append(line._replace(verdict=verdict, signals=signals))
    return [line for line in fresh if line.is_changed]


def settle_with(evidence: Mapping[int, Iterable[str]]) -> list[Settled]:
    """The events that become something else by this evidence (event id → signals).

    A rule still overrules all of it.
    """
    effects = read_effects()
    events = _judge("e.id = ANY(%(ids)s)", {"ids": sorted(evidence)}, "true")
    fresh = []
    for line in events:
        signals = sorted({*line.signals, *evidence[line.id]})
        verdict = line.verdict if line.rule_id else weigh(signals, effects)
        fresh.append(line._replace(verdict=verdict, signals=signals))
    return [line for line in fresh if line.is_changed]


def _judge(which: str, parameters: dict[str, Any], worth_a_look: str) -> list[Settled]:
    sql = _JUDGE.format(which=which, rule=MATCHES, worth_a_look=worth_a_look)
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        rows = cursor.fetchall()
    effects = read_effects()
    return [_settled(row, effects) for row in rows]


def read_effects() -> dict[str, str]:
    """What each signal means at the moment: signal → effect."""
    return DEFAULT_EFFECTS | dict(VerdictSignal.objects.values_list("name", "effect"))


def _settled(row: tuple, effects: dict[str, str]) -> Settled:
    *event, listed, rule_id, rule_effect = row
    verdict_before, before = event[-2:]
    signals = sorted({*evidence_in(before, verdict_before), *listed})
    verdict = weigh(signals, effects)
    if rule_id:
        verdict = VERDICT_OF_RULE[rule_effect]
        signals = sorted([*signals, f"{RULE_PREFIX}{rule_id}"])
    return Settled._make([*event, verdict, signals, rule_id])


def has_rules_about_people() -> bool:
    """Whether any rule in force looks at e-mail addresses."""
    return VerdictRule.objects.filter(ended_at=None).exclude(email_domain="").exists()


# The network the event came from; only addresses of ingest's own making are cast.
NETWORK = """CASE WHEN e.context->>'ip' ~ '^[0-9a-fA-F.:]+$' THEN (e.context->>'ip')::inet END"""
# Domains of the addresses that the event, or the lead it belongs to, is known by.
_DOMAINS = """ARRAY[
    lower(split_part(e.properties->>'email', '@', 2)),
    lower(split_part(e.properties->'traits'->>'email', '@', 2)),
    lower(split_part(e.context->'traits'->>'email', '@', 2)),
    lower(split_part(e.user_id, '@', 2)),
    (SELECT lower(split_part(l.email, '@', 2)) FROM leads_lead l WHERE l.id = e.lead_id)]"""
# Whether event `e` meets all conditions of rule `r`, given the network `n.ip`.
MATCHES = f"""
    (r.source_id IS NULL OR r.source_id = e.source_id)
    AND (r.event_kind = '' OR r.event_kind = e.kind)
    AND (r.visitor = '' OR r.visitor = e.anonymous_id)
    AND (r.user_agent = '' OR strpos(lower(e.user_agent), lower(r.user_agent)) > 0)
    AND (r.path = '' OR starts_with(lower(e.path), lower(r.path)))
    AND (CASE WHEN r.network <> '' THEN n.ip <<= r.network::cidr ELSE true END)
    AND (r.email_domain = '' OR r.email_domain = ANY({_DOMAINS}))"""

# Events with nothing to say, before and now, need not leave the database.
_HAS_SIGNALS = """e.verdict > 0 OR e.verdict_signals <> '{}' OR l.signals <> '{}'
        OR rule.id IS NOT NULL"""
_JUDGE = f"""
WITH clouds AS MATERIALIZED (
  SELECT network::cidr AS network FROM tracking_cloudnetwork WHERE is_active)
SELECT e.id, e.lead_id, e.anonymous_id, e.kind, e.occurred_at, e.verdict, e.verdict_signals,
       l.signals, rule.id, rule.effect
  FROM tracking_event e
 CROSS JOIN LATERAL (SELECT {NETWORK} AS ip OFFSET 0) n
  LEFT JOIN LATERAL (
    SELECT r.id, r.effect FROM tracking_verdictrule r
     WHERE r.ended_at IS NULL AND {{rule}} ORDER BY r.id DESC LIMIT 1) rule ON true
 CROSS JOIN LATERAL (
    SELECT array_remove(ARRAY[
      CASE WHEN n.ip IS NOT NULL AND EXISTS (
        SELECT FROM clouds WHERE n.ip <<= clouds.network) THEN 'data_centre' END,
      CASE WHEN e.anonymous_id <> '' AND EXISTS (
        SELECT FROM tracking_staffbrowser b WHERE b.anonymous_id = e.anonymous_id)
        THEN 'staff_browser' END], NULL) AS signals OFFSET 0) l
 WHERE {{which}}
   AND ({{worth_a_look}})
 ORDER BY e.id
"""  # noqa: S608 - built of constants
