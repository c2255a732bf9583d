"""Which moves a lead page offers to whom, and carrying one out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads import lifecycle
from leads.actors import Actor
from leads.criteria import Result
from leads.models import Lead, StageEpisode
from leads.refusals import Refused
from leads.rules import roles_that_move, roles_that_override
from leads.stages import FUNNEL, POSITION, EntryKind, Move, Stage, moves_from
from users.roles import Role


class Action(models.TextChoices):
    """What a person can do with a lead's stage."""

    ADVANCE = "advance", gettext_lazy("Advance")
    OVERRIDE = "override", gettext_lazy("Advance anyway")
    RECYCLE = "recycle", gettext_lazy("Recycle")
    DISQUALIFY = "disqualify", gettext_lazy("Disqualify")
    LOSE = "lose", gettext_lazy("Mark as lost")
    CHURN = "churn", gettext_lazy("Mark as churned")
    REOPEN = "reopen", gettext_lazy("Start a new cycle")


_BY_KIND: dict[str, Action] = {
    EntryKind.RECYCLED: Action.RECYCLE,
    EntryKind.DISQUALIFIED: Action.DISQUALIFY,
    EntryKind.LOST: Action.LOSE,
    EntryKind.CHURNED: Action.CHURN,
    EntryKind.REOPENED: Action.REOPEN,
}
_WAYS_OUT: dict[str, Callable[..., StageEpisode]] = {
    Action.RECYCLE: lifecycle.recycle,
    Action.DISQUALIFY: lifecycle.disqualify,
    Action.LOSE: lifecycle.lose,
    Action.CHURN: lifecycle.churn,
    Action.REOPEN: lifecycle.reopen,
}
_HINTS: dict[str, str | Promise] = {
    Action.ADVANCE: gettext_lazy("Everything that is asked for is met."),
    Action.OVERRIDE: gettext_lazy("Criteria are not met. Your override and its reason are shown."),
    Action.RECYCLE: gettext_lazy("Back to nurture: a new cycle, beginning at Qualified lead."),
    Action.DISQUALIFY: gettext_lazy("Not a buyer: leaves the funnel."),
    Action.LOSE: gettext_lazy("Decided against us: leaves the funnel."),
    Action.CHURN: gettext_lazy("Is no longer a customer."),
    Action.REOPEN: gettext_lazy("Begins again at Qualified lead, in a new cycle."),
}


@dataclass(frozen=True)
class Offer:
    """One move that this user may make with this lead now."""

    action: Action
    to_stage: str
    hint: str | Promise

    @property
    def needs_reason(self) -> bool:
        return self.action != Action.ADVANCE

    @property
    def takes_date(self) -> bool:
        return self.action == Action.RECYCLE

    @property
    def label(self) -> str:
        if self.action in (Action.ADVANCE, Action.OVERRIDE):
            names = {"action": self.action.label, "stage": Stage(self.to_stage).label}
            return _("%(action)s to %(stage)s") % names
        return str(self.action.label)


def offers_for(lead: Lead, role: str, results: list[Result]) -> list[Offer]:
    """The moves a person of this role may make, the way forward first."""
    moves = sorted(moves_from(lead.stage).values(), key=lambda move: move.to_stage not in FUNNEL)
    offers = [_offer(lead, role, results, move) for move in moves]
    return [offer for offer in offers if offer is not None]


def _offer(lead: Lead, role: str, results: list[Result], move: Move) -> Offer | None:
    if role not in roles_that_move(lead.stage, move.to_stage):
        return None
    action = _BY_KIND.get(move.kind)
    if _is_handoff_decision(lead, role, action):
        return None
    if move.kind == EntryKind.ADVANCED:
        is_ready = all(result.is_met for result in results)
        if not is_ready and role not in roles_that_override(lead.stage):
            return None
        action = Action.ADVANCE if is_ready else Action.OVERRIDE
    return Offer(action, move.to_stage, _HINTS[action]) if action else None


def _is_handoff_decision(lead: Lead, role: str, action: str | None) -> bool:
    """A rep says no to an MQL by rejecting its hand-off: marketing learns from the reason."""
    is_way_out = action in (Action.RECYCLE, Action.DISQUALIFY)
    return lead.stage == Stage.MQL and role == Role.REP and is_way_out


def carry_out(
    lead_id: int,
    action: str,
    *,
    by: Actor,
    reason: str = "",
    not_before_on: date | None = None,
    expected_seq: int | None = None,
) -> StageEpisode:
    """Make the move. Raises Refused with what stands against it, Conflict when it is stale."""
    if action in (Action.ADVANCE, Action.OVERRIDE):
        return lifecycle.advance(
            lead_id,
            _next_stage(Lead.objects.get(pk=lead_id)),
            by=by,
            reason=reason,
            override=action == Action.OVERRIDE,
            expected_seq=expected_seq,
        )
    if action not in _WAYS_OUT:
        raise Refused(_("There is no such move."))
    if _is_handoff_decision(Lead.objects.get(pk=lead_id), by.role, action):
        raise Refused(_("Reject the hand-off in your inbox: marketing learns from its reason."))
    if action == Action.RECYCLE:
        return lifecycle.recycle(
            lead_id, by=by, reason=reason, not_before_on=not_before_on, expected_seq=expected_seq
        )
    return _WAYS_OUT[action](lead_id, by=by, reason=reason, expected_seq=expected_seq)


def _next_stage(lead: Lead) -> str:
    """The stage after the lead's own. Where there is none, the last: the lifecycle refuses it."""
    place = POSITION.get(Stage(lead.stage), len(FUNNEL))
    return FUNNEL[min(place, len(FUNNEL) - 1)]
