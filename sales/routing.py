"""Which rep gets a hand-off: fair, within capacity, and never silently nobody."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, IntegerField, Max, OuterRef, Subquery
from django.db.models.functions import Coalesce

from leads.models import Lead
from leads.stages import Stage
from sales.models import Handoff
from sales.rules import Candidate, choose_rep
from scoring.previewing import Load
from users.models import Team, User
from users.roles import Role

IN_WORK = (Stage.SAL, Stage.SQL)


@dataclass(frozen=True)
class Routing:
    """Where a hand-off goes. Without an assignee, `queue_reason` says why."""

    route: str
    team: Team | None = None
    assignee: User | None = None
    queue_reason: str = ""


def route(lead: Lead) -> Routing:
    """Choose team and rep for a lead that sales should look at.

    Takes no locks: two leads routed in the same instant may both go to a rep who
    had room for one. That is cheaper than making every move into MQL wait in line.
    """
    if lead.owner is not None and _takes_handoffs(lead.owner):
        return Routing(Handoff.Route.OWNER, team=lead.owner.team, assignee=lead.owner)
    teams = teams_for(lead)
    if not teams:
        return Routing(Handoff.Route.QUEUE, queue_reason=Handoff.QueueReason.NO_TEAM)
    reps = User.objects.filter(role=Role.REP, is_active=True, team__in=teams)
    available = list(with_load(reps.filter(is_available=True)).select_related("team"))
    chosen = choose_rep(_as_candidate(rep) for rep in available)
    for rep in available:
        if rep.pk == chosen:
            return Routing(Handoff.Route.TURN, team=rep.team, assignee=rep)
    return Routing(
        Handoff.Route.QUEUE,
        team=_queue_among(teams),
        queue_reason=_why_nobody(has_reps=reps.exists(), has_available=bool(available)),
    )


def teams_for(lead: Lead) -> list[Team]:
    """The lead's own team, or the teams that sell to its country, else everywhere, else all."""
    if lead.team is not None:
        return [lead.team]
    teams = list(Team.objects.all())
    for_country = [team for team in teams if lead.country and str(lead.country) in team.countries]
    everywhere = [team for team in teams if not team.countries]
    return for_country or everywhere or teams


def with_load(reps):
    """Annotate reps with `load` (open hand-offs and leads in work) and `last_assigned_at`."""
    mine = {"assignee": OuterRef("pk")}
    waiting = Handoff.objects.open().filter(**mine)
    in_work = Lead.objects.filter(owner=OuterRef("pk"), stage__in=IN_WORK)
    last = Handoff.objects.filter(**mine).order_by().values("assignee")
    return reps.annotate(
        load=_count(waiting, "assignee") + _count(in_work, "owner"),
        last_assigned_at=Subquery(last.annotate(at=Max("assigned_at")).values("at")),
    )


def workload() -> dict[User, Load]:
    """What reps who take hand-offs have on their desks, for the preview of a scoring model."""
    reps = User.objects.filter(role=Role.REP, is_active=True, is_available=True)
    return {rep: Load(rep.load, rep.capacity) for rep in with_load(reps)}


def _count(rows, per: str) -> Coalesce:
    counted = rows.order_by().values(per).annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _takes_handoffs(owner: User) -> bool:
    """A lead stays with the rep who knows it, even if busy; not with one who is away."""
    return owner.role == Role.REP and owner.is_active and owner.is_available


def _as_candidate(rep) -> Candidate:
    return Candidate(rep.pk, rep.capacity, rep.load, rep.last_assigned_at)


def _queue_among(teams: list[Team]) -> Team:
    """The team with the shortest queue; by name among equals."""
    waiting = dict(
        Handoff.objects.open()
        .filter(assignee=None, team__in=teams)
        .order_by()
        .values_list("team")
        .annotate(n=Count("pk"))
    )
    return min(teams, key=lambda team: (waiting.get(team.pk, 0), team.name))


def _why_nobody(*, has_reps: bool, has_available: bool) -> str:
    if has_available:
        return Handoff.QueueReason.ALL_FULL
    return Handoff.QueueReason.ALL_ABSENT if has_reps else Handoff.QueueReason.NO_REPS
