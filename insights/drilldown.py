"""The leads behind a figure: the very stays it counted, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import OrderBy, Q, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from insights.figures import FIGURES, Figure, Question
from insights.filters import Filters
from insights.models import BEGAN_AT, Stay
from insights.queries import Freshness, first_young_day
from insights.reasons import for_reason, with_reasons
from insights.scope import Scope
from leads.models import NEVER
from leads.stages import Stage
from users.models import User

PAGE_SIZE = 50
DEFAULT_FIGURE = "reached"
ORDERS = ("newest", "oldest")
LONGEST_REASON = 200


@dataclass(frozen=True)
class Wanted:
    """Which figure, of which stage, in which order; `reason` narrows it to one reason.

    `problems` says what was not understood.
    """

    name: str
    stage: str
    order: str
    reason: str = ""
    problems: tuple[str, ...] = ()

    @property
    def figure(self) -> Figure:
        return FIGURES[self.name]

    @property
    def title(self) -> str:
        title = str(self.figure.title)
        title = title % {"stage": Stage(self.stage).label} if self.figure.has_stage else title
        return f"{title}: {self.reason}" if self.reason else title

    @property
    def other_order(self) -> str:
        return next(order for order in ORDERS if order != self.order)

    def params(self) -> dict[str, str]:
        stage = self.stage if self.figure.has_stage else ""
        order = self.order if self.order != ORDERS[0] else ""
        return {"figure": self.name, "stage": stage, "order": order, "reason": self.reason}


def read_wanted(params: Mapping[str, str]) -> Wanted:
    """Read address parameters; what is not understood falls back to a default."""
    problems = []
    name, stage, order = (params.get(key, "") for key in ("figure", "stage", "order"))
    if name not in FIGURES:
        problems.append(
            _("“%(value)s” is not a figure of the funnel; everything reached is listed.")
            % {"value": name[:40]}
        )
        name = DEFAULT_FIGURE
    if FIGURES[name].has_stage and stage not in Stage.values:
        problems.append(
            _("“%(value)s” is not a stage; the first stage is listed.") % {"value": stage[:40]}
        )
        stage = Stage.LEAD
    if order not in ORDERS:
        order = ORDERS[0]
    reason = params.get("reason", "").replace("\0", "")[:LONGEST_REASON]
    return Wanted(name, stage, order, reason, tuple(problems))


def stays_behind(user: User, wanted: Wanted, filters: Filters, freshness: Freshness) -> QuerySet:
    """The stays that the figure counts, one row each."""
    question = Question(
        wanted.stage,
        filters,
        first_young_day(freshness, filters.window),
        first_young_day(freshness, filters.horizon),
    )
    stays = Scope(user, filters.segment).stays().filter(wanted.figure.stays(question))
    return for_reason(with_reasons(stays), wanted.reason) if wanted.reason else stays


@dataclass(frozen=True)
class Page:
    """`after` addresses the next page; empty on the last one."""

    stays: list[Stay]
    after: str


def read_page(stays: QuerySet[Stay], order: str, after: str, size: int = PAGE_SIZE) -> Page:
    """One page of rows with their leads, newest or oldest first, by keyset."""
    place = read_place(after)
    if place is not None:
        stays = stays.alias(listed_at=BEGAN_AT).filter(_beyond(place, order))
    rows = list(_ordered(with_reasons(_with_leads(stays)), order)[: size + 1])
    has_more, rows = len(rows) > size, rows[:size]
    return Page(rows, place_of(rows[-1]) if has_more else "")


def in_batches(stays: QuerySet[Stay], size: int = 2_000) -> Iterator[Stay]:
    """Every row, newest first, in many short queries."""
    after = ""
    while True:
        page = read_page(stays, ORDERS[0], after, size)
        yield from page.stays
        after = page.after
        if not after:
            return


def place_of(stay: Stay) -> str:
    return f"{(stay.began_at or NEVER).isoformat()}~{stay.lead_id}~{stay.seq}"


def read_place(text: str) -> tuple[datetime, int, int] | None:
    """A place in the list; None for anything else that stands in the address."""
    instant, _tilde, rest = text.partition("~")
    lead, _tilde, seq = rest.partition("~")
    try:
        at = parse_datetime(instant)
        if at is None or at.tzinfo is None:
            return None
        place = (at.astimezone(UTC), int(lead), int(seq))
    except (ValueError, OverflowError):
        return None
    return place if 0 < place[1] < 2**63 and 0 < place[2] < 2**31 else None


def _beyond(place: tuple[datetime, int, int], order: str) -> Q:
    """The rows behind the place: one range of the index, then ties by lead and episode."""
    way = "lt" if order == "newest" else "gt"
    at, lead, seq = place
    tie = Q(**{f"lead_id__{way}": lead}) | Q(lead_id=lead, **{f"seq__{way}": seq})
    return Q(**{f"listed_at__{way}e": at}) & (Q(**{f"listed_at__{way}": at}) | tie)


def _ordered(stays: QuerySet[Stay], order: str) -> QuerySet[Stay]:
    mark = "-" if order == "newest" else ""
    began_at = OrderBy(BEGAN_AT, descending=order == "newest")
    return stays.order_by(began_at, f"{mark}lead_id", f"{mark}seq")


def _with_leads(stays: QuerySet[Stay]) -> QuerySet[Stay]:
    return stays.select_related("lead__owner", "lead__account").defer(
        "lead__search", "lead__custom"
    )
