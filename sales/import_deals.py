"""Rows become opportunities: each its own lead, with the deal's history and the deal's facts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from leads.imports.dates import Moment
from leads.imports.fields import ACCOUNT, OUTCOME_AT
from leads.imports.interpret import Record
from leads.imports.lead_book import LeadState
from leads.imports.lead_planning import LeadPlanner
from leads.imports.mapping import OnExisting
from leads.imports.notes import Note
from leads.imports.targets import Context, Outcome, RowPlan
from leads.stages import Stage
from sales.import_products import Catalogue
from sales.models import Opportunity

OUTCOMES = {
    Stage.SAL.value: Opportunity.Outcome.OPEN,
    Stage.SQL.value: Opportunity.Outcome.OPEN,
    Stage.CUSTOMER.value: Opportunity.Outcome.WON,
    Stage.LOST.value: Opportunity.Outcome.LOST,
}
FACTS = ("name", "product", "amount", "currency", "probability", "expected_close_on", "reason")
STANDING = ("outcome", "closed_at")
CENT, MOST_MONEY = Decimal("0.01"), Decimal(10) ** 12


@dataclass(eq=False)
class DealState:
    """One opportunity: its row, and the columns still to be written."""

    opportunity: Opportunity
    lead: LeadState
    changed: set[str] = field(default_factory=set)


class OpportunityPlanner:
    """Plans the lead of each row, then the deal that belongs to it."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.leads = LeadPlanner(context)
        self.catalogue = Catalogue()
        self._deals: dict[int, DealState] = {}
        self._touched: dict[int, DealState] = {}

    def plan(self, records: Sequence[Record]) -> list[RowPlan]:
        """One plan per record; `subject` is the lead's state."""
        self.catalogue.load(r.values["product"] for r in records if "product" in r.values)
        rows = self.leads.plan(records)
        self._load([row.subject for row in rows if row.subject is not None])
        for row, record in zip(rows, records, strict=True):
            if row.subject is not None:
                self._plan_deal(row, record)
        return rows

    def apply(self) -> None:
        self.leads.apply()
        new = [d.opportunity for d in self._touched.values() if d.opportunity.pk is None]
        old = [deal for deal in self._touched.values() if deal.opportunity.pk is not None]
        for deal in self._touched.values():
            deal.opportunity.lead, deal.opportunity.cycle = deal.lead.lead, deal.lead.lead.cycle
        # Entering SQL has opened some of them already (sales/receivers.py).
        Opportunity.objects.bulk_create(
            new,
            update_conflicts=True,
            unique_fields=["lead", "cycle"],
            update_fields=[*FACTS, *STANDING, "opened_at"],
        )
        # Of those whose outcome stays, facts only: what is decided is not written again.
        _save([deal for deal in old if "outcome" in deal.changed])
        _save([deal for deal in old if "outcome" not in deal.changed])
        self._touched.clear()

    def _load(self, leads: Sequence[LeadState]) -> None:
        """The newest opportunity of each known lead not looked at before."""
        unknown = {s.pk: s for s in leads if s.pk is not None and id(s) not in self._deals}
        rows = Opportunity.objects.filter(lead__in=unknown).select_related("product")
        for opportunity in rows.order_by("lead_id", "cycle"):
            state = unknown[opportunity.lead_id]
            self._deals[id(state)] = DealState(opportunity, state)

    def _plan_deal(self, row: RowPlan, record: Record) -> None:
        state: LeadState = row.subject
        if state.place.stage not in OUTCOMES:
            row.notes.append(Note("not_a_deal", {"stage": state.place.stage}))
            return
        deal = self._deals.get(id(state))
        if deal is None or deal.opportunity.cycle != state.lead.cycle:
            deal = self._deals[id(state)] = DealState(_new_deal(state), state)
            self._touched[id(state)] = deal
            row.outcome = Outcome.CREATED
        has_changed = self._take_facts(deal, record, row)
        if self._follow(deal) or has_changed:
            self._touched[id(state)] = deal
            if row.outcome == Outcome.UNCHANGED:
                row.outcome = Outcome.UPDATED

    def _take_facts(self, deal: DealState, record: Record, row: RowPlan) -> bool:
        given = record.values
        facts: dict[str, Any] = {
            **_plausible(given, row),
            "expected_close_on": _expected(record, deal.lead.place.stage),
            "reason": given.get("outcome_reason"),
        }
        if ACCOUNT not in given and self.context.mapping.uses_to(ACCOUNT):
            row.notes.append(Note("no_account"))
        if "product" in given:
            facts["product"], note = self.catalogue.find(given["product"])
            row.notes += [note] if note else []
        facts["name"] = given.get("deal_name") or _name_of(deal, facts.get("product"), record)
        changes = [self._set(deal, name, value) for name, value in facts.items()]
        return any(changes)

    def _set(self, deal: DealState, name: str, value: Any) -> bool:
        """Keep a fact the file gives; whether it changed anything."""
        current = getattr(deal.opportunity, name)
        is_kept = self.context.mapping.on_existing == OnExisting.FILL and current
        if value in (None, "") or value == current or is_kept:
            return False
        setattr(deal.opportunity, name, value)
        deal.changed.add(name)
        return True

    def _follow(self, deal: DealState) -> bool:
        """Open, won or lost as the lead's stage says; whether that is new."""
        opportunity, place = deal.opportunity, deal.lead.place
        outcome = OUTCOMES[place.stage]
        if outcome == opportunity.outcome or not opportunity.is_open:
            return False
        assert place.since is not None
        opportunity.outcome = outcome
        # As sales/opportunities.py does, which may have closed it already.
        opportunity.closed_at = max(place.since, opportunity.opened_at)
        deal.changed |= set(STANDING)
        return True


def _save(deals: Sequence[DealState]) -> None:
    if fields := set().union(*(deal.changed for deal in deals)):
        Opportunity.objects.bulk_update([deal.opportunity for deal in deals], sorted(fields))


def _plausible(given: dict[str, Any], row: RowPlan) -> dict[str, Any]:
    """Amount, currency and probability, without what PostgreSQL would refuse."""
    facts: dict[str, Any] = {}
    for name, is_plausible, written in (
        ("amount", lambda v: 0 <= v < MOST_MONEY, lambda v: v.quantize(CENT)),
        ("currency", re.compile("[A-Za-z]{3}").fullmatch, str.upper),
        ("probability", lambda v: 0 <= v <= 100, int),
    ):
        if name in given and is_plausible(given[name]):
            facts[name] = written(given[name])
        elif name in given:
            row.notes.append(Note("impossible_fact", {"fact": name, "value": str(given[name])}))
    return facts


def _new_deal(state: LeadState) -> Opportunity:
    """Opened when the lead entered SQL, as far as that is known, else when it is first known of."""
    entered = (step.at for step in state.steps if step.move.to_stage == Stage.SQL)
    assert state.place.since is not None
    return Opportunity(opened_at=next(entered, state.place.since), cycle=state.lead.cycle)


def _expected(record: Record, stage: str) -> Any:
    """Of an open deal, the closing date is the expected one."""
    expected = record.values.get("expected_close_on")
    closing: Moment | None = record.moment(OUTCOME_AT)
    if expected is None and closing is not None and stage in (Stage.SAL, Stage.SQL):
        return closing.day
    return expected


def _name_of(deal: DealState, product: Any, record: Record) -> str:
    """A deal without a name of its own is called by its product and account."""
    if deal.opportunity.name:
        return deal.opportunity.name
    parts = [str(product) if product else "", record.values.get(ACCOUNT, "")]
    return " – ".join(filter(None, parts))[:200] or record.ids[0][1]
