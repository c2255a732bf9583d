"""A hand-off from its submission to its decision. Every write to one is here.

A decision is final: PostgreSQL refuses to change a decided hand-off, and stage
history has no way back. Taking a decision back is therefore possible only before
it is sent; the inbox holds it for a few seconds (docs/lifecycle.md).

Locks are taken in one order everywhere: the lead, then its hand-off.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils.timezone import localdate, now
from django.utils.translation import gettext as _

from leads import lifecycle
from leads.actors import Actor
from leads.models import Lead, StageEpisode, Standing
from leads.ownership import assign_owner
from leads.refusals import Conflict, Refused
from leads.stages import Stage
from sales import wording
from sales.models import Handoff, HandoffEvent, RejectReason
from sales.routing import Routing, route
from sales.rules import DECISION_HOURS, add_working_hours, may_decide, may_propose
from users.models import User
from users.roles import Role

ROUTING = Actor.rule("Routing")
Kind = HandoffEvent.Kind


def submit(
    lead: Lead, episode: StageEpisode, *, by: Actor, at: datetime | None = None
) -> Handoff | None:
    """Propose a locked lead to sales and route it; None if this stay in MQL was proposed before.

    `at` is when the lead became an MQL unless it is proposed later than that.
    """
    if Handoff.objects.filter(episode=episode).exists():
        return None
    at = at or episode.entered_at
    routing = route(lead)
    handoff = Handoff.objects.create(
        lead=lead,
        episode=episode,
        cycle=episode.cycle,
        team=routing.team,
        assignee=routing.assignee,
        route=routing.route,
        queue_reason=routing.queue_reason,
        submitted_at=at,
        assigned_at=at if routing.assignee else None,
        due_at=add_working_hours(at, DECISION_HOURS, ZoneInfo(settings.REPORTING_TIME_ZONE)),
        **_standing_of(lead),
    )
    _log(handoff, Kind.SUBMITTED, by, at)
    _log_routing(handoff, routing, at)
    _own(handoff, lead, by=ROUTING)
    return handoff


def accept(handoff_id: int, *, by: Actor, note: str = "", at: datetime | None = None) -> Handoff:
    """Take the lead on: the hand-off is accepted and the lead becomes an SAL.

    Raises Conflict when somebody was faster, Refused when it is not theirs to decide.
    """
    with transaction.atomic():
        handoff, lead = _locked_for_decision(handoff_id, by)
        _take_along(handoff, lead, by, at)
        if handoff.assignee is None:
            raise Refused(_("Assign this hand-off to a rep first: somebody has to work the lead."))
        _decide(handoff, Handoff.State.ACCEPTED, by, note=note, at=at)
        lifecycle.advance(lead.pk, Stage.SAL, by=by, reason=note, at=handoff.decided_at)
        return handoff


def reject(
    handoff_id: int,
    *,
    by: Actor,
    reason_code: str,
    note: str = "",
    not_before_on: date | None = None,
    at: datetime | None = None,
) -> Handoff:
    """Say no: the lead goes back to nurture, or is disqualified if the reason says so.

    Without `not_before_on` the reason's own waiting time counts.
    """
    with transaction.atomic():
        handoff, lead = _locked_for_decision(handoff_id, by)
        handoff.reject_reason = reason = _active_reason(reason_code)
        handoff.not_before_on = _not_before(reason, not_before_on, at)
        _take_along(handoff, lead, by, at)
        _decide(handoff, Handoff.State.REJECTED, by, note=note, at=at)
        why = f"{reason.label}: {note}" if note else reason.label
        decided_at, day = handoff.decided_at, handoff.not_before_on
        if reason.disqualifies:
            lifecycle.disqualify(lead.pk, by=by, reason=why, at=decided_at)
        else:
            lifecycle.recycle(lead.pk, by=by, reason=why, at=decided_at, not_before_on=day)
        return handoff


@transaction.atomic
def take(handoff_id: int, *, by: Actor) -> Handoff:
    """A rep takes a hand-off out of the team's queue."""
    handoff, lead = _locked_for_decision(handoff_id, by)
    if handoff.assignee is not None:
        raise Refused(
            _("This hand-off is assigned to %(who)s already.") % {"who": handoff.assignee}
        )
    if by.role != Role.REP:
        raise Refused(_("Only a rep can take a hand-off out of the queue."))
    _take_along(handoff, lead, by, None)
    return handoff


@transaction.atomic
def assign(handoff_id: int, to: User | None, *, by: Actor, note: str = "") -> Handoff:
    """A manager gives an open hand-off to a rep, or back to the queue (`to` is None).

    The time to decide goes on running: reassigning does not reset it.
    """
    handoff, lead = _locked_for_decision(handoff_id, by)
    _require_assigner(to, by)
    _give(handoff, to, by=by, note=note)
    _own(handoff, lead, by=by)
    return handoff


def follow_owner(lead: Lead, *, by: Actor) -> None:
    """The open hand-off of a locked lead goes where its lead went."""
    for handoff in Handoff.objects.open().filter(lead=lead).select_for_update(no_key=True):
        _give(handoff, lead.owner, by=by, note="")


def _give(handoff: Handoff, to: User | None, *, by: Actor, note: str) -> None:
    if handoff.assignee == to:
        return
    kind = Kind.REASSIGNED if handoff.assignee else Kind.ASSIGNED
    handoff.assignee, handoff.assigned_at = to, now() if to else None
    handoff.route = Handoff.Route.MANAGER if to else Handoff.Route.QUEUE
    handoff.queue_reason = "" if to else Handoff.QueueReason.RETURNED
    handoff.team = to.team if to and to.team else handoff.team
    handoff.save(update_fields=["assignee", "assigned_at", "route", "queue_reason", "team"])
    _log(handoff, kind if to else Kind.QUEUED, by, now(), assignee=to, note=note)


def withdraw(lead: Lead, *, by: Actor, at: datetime | None, note: str) -> None:
    """Close the open hand-off of a locked lead that left MQL by another way."""
    for handoff in Handoff.objects.open().filter(lead=lead).select_for_update(no_key=True):
        _decide(handoff, Handoff.State.WITHDRAWN, by, note=note, at=at)


@transaction.atomic
def submit_by_hand(lead_id: int, *, by: Actor) -> Handoff:
    """Propose an MQL that nobody proposed yet, such as one from an old import."""
    if by.user is not None and not may_propose(by.role):
        raise Refused(_("Marketing, a manager or an admin proposes leads to sales."))
    lead = Lead.objects.select_for_update(no_key=True).get(pk=lead_id)
    episode = lead.episodes.filter(left_at=None, stage=Stage.MQL).first()
    if episode is None:
        raise Refused(_("Only an MQL can be proposed to sales."))
    handoff = submit(lead, episode, by=by, at=now())
    if handoff is None:
        raise Conflict(_("%(name)s is proposed to sales already.") % {"name": lead.name})
    return handoff


# An import may tell of an MQL of years ago; that is history, not work for today.
STALE_AFTER = timedelta(days=90)


def open_missing(limit: int) -> int:
    """Submit leads that rest in MQL without a hand-off, as imports leave them. Returns how many.

    The lead itself is the work row: it is found again until it has its hand-off.
    """
    proposed = Handoff.objects.filter(lead=OuterRef("pk"), episode__left_at=None)
    waiting = Lead.objects.filter(~Exists(proposed), stage=Stage.MQL)
    fresh = now() - STALE_AFTER
    # Where the date is unknown, a known one before it must tell that the stay is that young.
    known = StageEpisode.objects.filter(lead=OuterRef("pk"), is_date_unknown=False)
    waiting = waiting.filter(
        Exists(known.filter(entered_at__gte=fresh)), stage_entered_at__gte=fresh
    )
    ids = list(waiting.order_by("stage_entered_at", "pk").values_list("pk", flat=True)[:limit])
    return sum(_submit_missing(lead_id) for lead_id in ids)


@transaction.atomic
def _submit_missing(lead_id: int) -> int:
    leads = Lead.objects.select_for_update(no_key=True, skip_locked=True)
    lead = leads.filter(pk=lead_id, stage=Stage.MQL).first()
    episode = lead.episodes.filter(left_at=None).first() if lead else None
    if lead is None or episode is None:
        return 0
    return int(submit(lead, episode, by=ROUTING, at=max(now(), episode.entered_at)) is not None)


def _locked_for_decision(handoff_id: int, by: Actor) -> tuple[Handoff, Lead]:
    """Both rows, locked, if it is still open and `by` may decide it."""
    lead_id = Handoff.objects.values_list("lead_id", flat=True).get(pk=handoff_id)
    lead = Lead.objects.select_for_update(no_key=True).get(pk=lead_id)
    handoff = Handoff.objects.select_for_update(no_key=True).get(pk=handoff_id)
    handoff.lead = lead
    if not handoff.is_open:
        raise Conflict(wording.already_decided(handoff, by.user))
    if by.user is not None and not may_decide(by.user, handoff):
        raise _not_theirs(handoff, by.user)
    return handoff, lead


def _not_theirs(handoff: Handoff, user: User) -> Refused:
    """A Conflict if this rep had it until just now, else a plain refusal."""
    was_theirs = Handoff.objects.within_reach(user).filter(pk=handoff.pk)
    if user.role == Role.REP and handoff.assignee and was_theirs.exists():
        return Conflict(wording.already_assigned(handoff))
    return Refused(_("Only its rep, the team's manager or an admin decides on this hand-off."))


def _require_assigner(to: User | None, by: Actor) -> None:
    if by.user is not None and by.role not in (Role.MANAGER, Role.ADMIN):
        raise Refused(_("Only a manager or an admin assigns hand-offs."))
    if to is None:
        return
    if to.role != Role.REP or not to.is_active:
        raise Refused(_("%(who)s is not an active sales rep.") % {"who": to})
    if by.user is not None and by.role == Role.MANAGER and to.team_id != by.user.team_id:
        raise Refused(_("%(who)s is not in your team.") % {"who": to})


def _take_along(handoff: Handoff, lead: Lead, by: Actor, at: datetime | None) -> None:
    """Whoever decides on a queued hand-off takes it; an admin has no leads of their own."""
    if handoff.assignee is not None or by.role not in (Role.REP, Role.MANAGER):
        return
    at = max(at or now(), handoff.submitted_at)
    handoff.assignee, handoff.assigned_at, handoff.queue_reason = by.user, at, ""
    handoff.save(update_fields=["assignee", "assigned_at", "queue_reason"])
    _log(handoff, Kind.ASSIGNED, by, at, assignee=by.user)
    _own(handoff, lead, by=by)


def _decide(handoff: Handoff, state: str, by: Actor, *, note: str, at: datetime | None) -> None:
    handoff.state, handoff.note, handoff.decided_by = state, note.strip(), by.user
    handoff.decided_at = max(at or now(), handoff.submitted_at)
    handoff.save()
    _log(handoff, Kind(state), by, handoff.decided_at, note=handoff.note)


def _active_reason(code: str) -> RejectReason:
    reason = RejectReason.objects.filter(code=code, is_active=True).first()
    if reason is None:
        raise Refused(_("Choose a reason: marketing learns from it."))
    return reason


def _not_before(reason: RejectReason, given: date | None, at: datetime | None) -> date | None:
    today = localdate(at)
    if reason.disqualifies:
        return None
    if given is not None and given < today:
        raise Refused(_("The day from which it may come back lies in the past."))
    return given or (today + timedelta(days=reason.recycle_days or 0))


def _standing_of(lead: Lead) -> dict:
    fields = ("score", "fit", "interest", "quadrant", "model_version")
    return Standing.objects.filter(lead=lead).values(*fields).first() or {}


def _own(handoff: Handoff, lead: Lead, *, by: Actor) -> None:
    """The lead follows its hand-off, so that whoever has to decide can also read it."""
    assign_owner(lead, owner=handoff.assignee, team=handoff.team, by=by)


def _log_routing(handoff: Handoff, routing: Routing, at: datetime) -> None:
    if routing.assignee is None:
        _log(handoff, Kind.QUEUED, ROUTING, at, note=routing.queue_reason)
    else:
        _log(handoff, Kind.ASSIGNED, ROUTING, at, assignee=routing.assignee, note=routing.route)


def _log(handoff: Handoff, kind: str, by: Actor, at: datetime, **more) -> None:
    HandoffEvent.objects.create(
        handoff=handoff,
        kind=kind,
        at=at,
        actor_kind=by.kind,
        actor=by.user,
        actor_label=by.label,
        **more,
    )
