"""What the inbox, the lead panel, the pipeline and the sidebar read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.paginator import Page, Paginator
from django.db.models import Count, F, Q, Sum
from django.utils.functional import Promise
from django.utils.timezone import now

from leads.models import Lead, LeadQuerySet
from leads.paging import LEAD_SORTS, read_page
from leads.paging import Page as LeadPage
from leads.stages import Stage
from sales.bant import Line, newest_answers_of
from sales.models import Handoff, HandoffQuerySet, Opportunity, RejectReason
from sales.opportunities import ALIVE
from sales.rules import may_decide, working_minutes_between
from users.models import User
from users.roles import Role

PAGE_SIZE = 30
TABS = (Handoff.State.SUBMITTED, Handoff.State.ACCEPTED, Handoff.State.REJECTED)


@dataclass(frozen=True)
class Row:
    """A hand-off as the inbox shows it. `minutes_left`: working time, negative when overdue."""

    handoff: Handoff
    bant: list[Line]
    minutes_left: int
    is_overdue: bool
    is_mine_to_decide: bool

    @property
    def lead(self) -> Lead:
        return self.handoff.lead

    @property
    def bant_met_count(self) -> int:
        return sum(line.is_met for line in self.bant)


def waiting(user: User) -> HandoffQuerySet:
    """Open hand-offs in this user's inbox; a marketer has none."""
    if user.role not in (Role.REP, Role.MANAGER, Role.ADMIN):
        return Handoff.objects.none()
    return Handoff.objects.visible_to(user).open()


def waiting_count(user: User) -> int:
    """For the sidebar: how many hand-offs wait in this user's inbox."""
    return waiting(user).count()


def tab_counts(user: User) -> dict[str, int]:
    """How many hand-offs are behind each tab of the inbox."""
    mine = Handoff.objects.visible_to(user)
    return mine.aggregate(**{tab: Count("pk", filter=Q(state=tab)) for tab in TABS})


def inbox_page(user: User, tab: str, number: str | int = 1) -> tuple[Page, list[Row]]:
    """One page of a tab: what waits by score, what is decided by time."""
    handoffs = in_full(Handoff.objects.visible_to(user).filter(state=tab))
    if tab == Handoff.State.SUBMITTED:
        ranked = handoffs.order_by(F("lead__standing__score").desc(nulls_last=True), "due_at", "pk")
    else:
        ranked = handoffs.order_by("-decided_at", "-pk")
    page = Paginator(ranked, PAGE_SIZE).get_page(number)
    return page, as_rows(page.object_list, user)


def in_full(handoffs: HandoffQuerySet) -> HandoffQuerySet:
    return handoffs.select_related(
        *("lead__standing", "lead__last_activity", "lead__account"),
        *("assignee", "team", "decided_by", "reject_reason"),
    ).defer("lead__search")


def as_rows(handoffs, user: User) -> list[Row]:
    handoffs = list(handoffs)
    answers = newest_answers_of([handoff.lead for handoff in handoffs])
    at, zone = now(), ZoneInfo(settings.REPORTING_TIME_ZONE)
    return [
        Row(
            handoff,
            answers[handoff.lead_id],
            working_minutes_between(at, handoff.due_at, zone),
            handoff.due_at < at,
            handoff.is_open and may_decide(user, handoff),
        )
        for handoff in handoffs
    ]


def reject_reasons() -> list[RejectReason]:
    return list(RejectReason.objects.filter(is_active=True))


def reps_for(user: User) -> list[User]:
    """To whom this user may assign hand-offs: a manager to the team's reps, an admin to all."""
    reps = User.objects.filter(role=Role.REP, is_active=True)
    if user.role == Role.ADMIN:
        return list(reps)
    return list(reps.filter(team=user.team_id)) if user.role == Role.MANAGER else []


def handoffs_of(lead: Lead) -> list[Handoff]:
    """All hand-offs of a lead, newest first, with their log."""
    handoffs = lead.handoffs.select_related("assignee", "team", "decided_by", "reject_reason")
    return list(handoffs.prefetch_related("events__assignee"))


def opportunity_of(lead: Lead) -> Opportunity | None:
    """The opportunity of the lead's current cycle."""
    found = lead.opportunities.filter(cycle=lead.cycle)
    return found.select_related("product").first()


@dataclass(frozen=True)
class Deal:
    """A lead in the pipeline. `opportunity` is None before SQL, `days_in_stage` where unknown."""

    lead: Lead
    bant: list[Line]
    opportunity: Opportunity | None
    days_in_stage: int | None

    @property
    def bant_met_count(self) -> int:
        return sum(line.is_met for line in self.bant)


@dataclass(frozen=True)
class Worth:
    """Open opportunities of one currency: their sum, and that sum weighted by probability."""

    currency: str
    total: Decimal
    weighted: Decimal


@dataclass(frozen=True)
class Column:
    """A stage of the pipeline: its first deals, how many there are, and what they are worth."""

    stage: str
    label: str | Promise
    deals: list[Deal]
    count: int
    totals: list[Worth]

    @property
    def hidden_count(self) -> int:
        return self.count - len(self.deals)


COLUMN_SIZE = 100


def pipeline(user: User) -> list[Column]:
    """Leads in SAL and SQL that this user may see: those that wait longest first, those of
    which nobody knows how long last."""
    leads = Lead.objects.visible_to(user)
    return [_column(leads.filter(stage=stage), stage) for stage in (Stage.SAL, Stage.SQL)]


def _column(leads: LeadQuerySet, stage: Stage) -> Column:
    rows = leads.select_related("standing", "last_activity", "owner", "account").defer("search")
    shown = list(rows.order_by("is_stage_date_unknown", "stage_entered_at", "pk")[:COLUMN_SIZE])
    count = len(shown) if len(shown) < COLUMN_SIZE else leads.count()
    return Column(stage, stage.label, as_deals(shown), count, _worth(leads))


def _worth(leads: LeadQuerySet) -> list[Worth]:
    opportunities = Opportunity.objects.open().filter(lead__in=leads, amount__isnull=False)
    sums = opportunities.order_by("currency").values("currency")
    sums = sums.annotate(
        total=Sum("amount"), weighted=Sum(F("amount") * F("probability") / 100, default=0)
    )
    return [Worth(row["currency"], row["total"], row["weighted"]) for row in sums]


def as_deals(leads: list[Lead]) -> list[Deal]:
    answers = newest_answers_of(leads)
    found = Opportunity.objects.filter(lead__in=leads).select_related("product")
    by_cycle = {(o.lead_id, o.cycle): o for o in found}
    return [
        Deal(
            lead,
            answers[lead.pk],
            by_cycle.get((lead.pk, lead.cycle)),
            _days(lead.stage_since),
        )
        for lead in leads
    ]


def _days(since: datetime | None) -> int | None:
    return (now() - since).days if since else None


def customers(
    user: User, *, after: int | None, before: int | None
) -> tuple[LeadPage[Lead], list[Deal]]:
    """A page of customers, newest first, each with the deal that won it."""
    leads = Lead.objects.visible_to(user).filter(stage=Stage.CUSTOMER)
    rows = leads.select_related("standing", "last_activity", "owner", "account").defer("search")
    page = read_page(rows, LEAD_SORTS["since"], after=after, before=before)
    return page, as_deals(page.rows)


def with_stray_handoff(leads: Sequence[Lead]) -> list[Lead]:
    """Those with an open hand-off although they are no MQLs."""
    gone = [lead.pk for lead in leads if lead.stage != Stage.MQL]
    stray = set(Handoff.objects.open().filter(lead__in=gone).values_list("lead", flat=True))
    return [lead for lead in leads if lead.pk in stray]


def with_stray_opportunity(leads: Sequence[Lead]) -> list[Lead]:
    """Those with an open opportunity although they are neither in SAL nor in SQL."""
    gone = [lead.pk for lead in leads if lead.stage not in ALIVE]
    stray = set(Opportunity.objects.open().filter(lead__in=gone).values_list("lead", flat=True))
    return [lead for lead in leads if lead.pk in stray]
