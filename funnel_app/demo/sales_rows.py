"""Hand-offs, BANT answers and opportunities as rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings

from funnel_app.demo.company import EXCHANGE
from funnel_app.demo.copying import Copier, Numbers, Table
from funnel_app.demo.gauge import Gauge
from funnel_app.demo.staff import Staff
from funnel_app.demo.story import LeadStory
from funnel_app.demo.walk import Deal, Proposal
from sales.models import Handoff
from sales.rules import DECISION_HOURS, add_working_hours
from scoring.rules import quadrant
from users.models import User

HANDOFF = Table(
    "sales_handoff",
    ("id", "lead_id", "episode_id", "cycle", "state", "team_id", "assignee_id", "route",
     "queue_reason", "submitted_at", "assigned_at", "due_at", "decided_at", "decided_by_id",
     "reject_reason_id", "note", "not_before_on", "score", "fit", "interest", "quadrant",
     "model_version"),
)  # fmt: skip
EVENT = Table(
    "sales_handoffevent",
    ("handoff_id", "kind", "at", "actor_kind", "actor_id", "actor_label", "assignee_id", "note"),
)
ANSWER = Table(
    "sales_bantanswer",
    ("lead_id", "cycle", "letter", "verdict", "evidence", "recorded_by_id", "recorded_at"),
)
OPPORTUNITY = Table(
    "sales_opportunity",
    ("lead_id", "cycle", "name", "product_id", "amount", "currency", "probability",
     "expected_close_on", "demo_held_on", "pricing_sent_on", "nda_signed_on", "outcome",
     "opened_at", "closed_at", "reason"),
)  # fmt: skip
TABLES = (HANDOFF, EVENT, ANSWER, OPPORTUNITY)


class SalesRows:
    """Writes what sales did with a lead."""

    def __init__(self, copier: Copier, staff: Staff, gauge: Gauge) -> None:
        self.copier, self.staff, self.gauge = copier, staff, gauge
        self.handoffs = Numbers(HANDOFF.name)
        self.zone = ZoneInfo(settings.REPORTING_TIME_ZONE)

    def keep_numbers(self) -> None:
        self.handoffs.keep()

    def add(
        self,
        lead_id: int,
        story: LeadStory,
        mql_episodes: dict[datetime, int],
        owner: User | None,
        team_id: int,
    ) -> None:
        for proposal in story.journey.proposals:
            handoff_id = self.handoffs.take()
            episode_id = mql_episodes[proposal.submitted_at]
            row = self._handoff(handoff_id, lead_id, episode_id, proposal, owner, team_id)
            self.copier.add(HANDOFF, row)
            self.copier.add(EVENT, *self._log(handoff_id, proposal, owner))
        by = owner.pk if owner else None
        self.copier.add(
            ANSWER,
            *(
                (lead_id, f.cycle, f.letter, f.verdict, f.evidence, by, f.at)
                for f in story.journey.findings
            ),
        )
        self.copier.add(
            OPPORTUNITY, *(self._deal(lead_id, deal, story) for deal in story.journey.deals)
        )

    def _handoff(
        self,
        handoff_id: int,
        lead_id: int,
        episode_id: int,
        proposal: Proposal,
        owner: User | None,
        team_id: int,
    ) -> tuple:
        reason = self.staff.reasons.get(proposal.reason_code)
        is_decided = proposal.decided_at is not None
        cuts = self.gauge.cuts
        return (
            handoff_id,
            lead_id,
            episode_id,
            proposal.cycle,
            proposal.state,
            team_id,
            owner.pk if owner else None,
            _route(proposal, owner),
            "" if owner else Handoff.QueueReason.ALL_FULL,
            proposal.submitted_at,
            proposal.submitted_at if owner else None,
            add_working_hours(proposal.submitted_at, DECISION_HOURS, self.zone),
            proposal.decided_at,
            owner.pk if owner and is_decided else None,
            reason.pk if reason else None,
            proposal.note,
            proposal.not_before_on,
            round(proposal.fit + proposal.interest, 2),
            round(proposal.fit, 2),
            proposal.interest,
            quadrant(
                Decimal(proposal.fit), Decimal(proposal.interest),
                Decimal(cuts["fit"]), Decimal(cuts["interest"]),
            ),
            self.gauge.number,
        )  # fmt: skip

    def _log(self, handoff_id: int, proposal: Proposal, owner: User | None) -> Iterator[tuple]:
        at = proposal.submitted_at
        model = f"Scoring model v{self.gauge.number}"
        yield (handoff_id, "submitted", at, "rule", None, model, None, "")
        if owner is None:
            why = Handoff.QueueReason.ALL_FULL
            yield (handoff_id, "queued", at, "rule", None, "Routing", None, why)
            return
        route = _route(proposal, owner)
        yield (handoff_id, "assigned", at, "rule", None, "Routing", owner.pk, route)
        if proposal.decided_at is not None:
            who = ("user", owner.pk, str(owner))
            yield (handoff_id, proposal.state, proposal.decided_at, *who, None, proposal.note)

    def _deal(self, lead_id: int, deal: Deal, story: LeadStory) -> tuple:
        product = self.staff.products[deal.product]
        currency = story.person.country.currency
        rate, step = EXCHANGE[currency]
        company = story.person.company
        return (
            lead_id,
            deal.cycle,
            f"{company.name if company else story.person.last_name}: {product.name}",
            product.pk,
            int(deal.worth * rate // step * step),
            currency,
            min(deal.probability, 100),
            deal.expected_close_on,
            deal.demo_on,
            deal.pricing_on,
            deal.nda_on,
            deal.outcome,
            deal.opened_at,
            deal.closed_at,
            deal.reason,
        )


def _route(proposal: Proposal, owner: User | None) -> str:
    if owner is None:
        return Handoff.Route.QUEUE
    return Handoff.Route.TURN if proposal.cycle == 1 else Handoff.Route.OWNER
