"""The visits and leads behind a figure of “Traffic”: as many rows as the figure says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db.models import DurationField, Exists, F, Func, OuterRef, Q, QuerySet, TextField, Value
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from insights.models import Stay
from insights.periods import FOREVER, matured_before
from insights.traffic.filters import TrafficFilters
from insights.traffic.folding import GOALS, LEAD_WINDOW
from leads.filters import day_begins_at
from leads.models import Lead
from leads.stages import Stage
from tracking.models import Visit, VisitorLink

PAGE_SIZE = 50
FIGURES = {
    "visits": gettext_lazy("Visits"),
    "visitors": gettext_lazy("Visitors"),
    "new_visitors": gettext_lazy("New visitors"),
    "mature": gettext_lazy("New visitors old enough"),
    "became_leads": gettext_lazy("New visitors who became leads"),
    "leads_so_far": gettext_lazy("New visitors who are leads so far"),
}


@dataclass(frozen=True)
class WantedVisits:
    """Which figure; `is_raw` with those of machines; `path` only visits that saw this page."""

    figure: str
    is_raw: bool
    path: str

    @property
    def title(self) -> str:
        what = FIGURES[self.figure]
        kind = _("with machines") if self.is_raw else _("humans only")
        return f"{what} · {kind}" + (f" · {self.path}" if self.path else "")

    @property
    def file_name(self) -> str:
        return self.figure

    def params(self) -> dict[str, str]:
        return {"figure": self.figure, "raw": "1" if self.is_raw else "", "path": self.path}


@dataclass(frozen=True)
class WantedLeads:
    """Leads that reached this stage in the period; `path`: having seen this page before."""

    stage: str
    path: str

    @property
    def title(self) -> str:
        said = _("Reached %(stage)s for the first time") % {"stage": Stage(self.stage).label}
        return said + (f" · {self.path}" if self.path else "")

    @property
    def file_name(self) -> str:
        return self.stage

    def params(self) -> dict[str, str]:
        return {"stage": self.stage, "path": self.path}


def read_wanted_visits(params: Mapping[str, str]) -> WantedVisits:
    figure = params.get("figure", "")
    return WantedVisits(
        figure if figure in FIGURES else "visits", params.get("raw") == "1", _path(params)
    )


def read_wanted_leads(params: Mapping[str, str]) -> WantedLeads:
    stage = params.get("stage", "")
    return WantedLeads(stage if stage in GOALS else GOALS[0], _path(params))


def _path(params: Mapping[str, str]) -> str:
    return params.get("path", "")[:500].replace("\0", "")


def visits_behind(user, wanted: WantedVisits, filters: TrafficFilters) -> QuerySet[Visit]:
    visits = Visit.objects.visible_to(user).filter(_in_period("started_at", filters))
    visits = visits.filter(**filters.segment)
    if not wanted.is_raw:
        visits = visits.filter(is_machine=False)
    if wanted.path:
        visits = visits.filter(pages__has_key=wanted.path)
    if wanted.figure == "visitors":
        return visits.exclude(Exists(_visits_before(filters)))
    if wanted.figure != "visits":
        visits = visits.exclude(Exists(_earlier()))
    if wanted.figure in ("mature", "became_leads"):
        visits = visits.filter(started_at__lt=_young_at(), is_machine=False)
    if wanted.figure in ("became_leads", "leads_so_far"):
        links = VisitorLink.objects.filter(
            visitor__anonymous_id=OuterRef("anonymous_id"),
            started_at__lt=OuterRef("started_at") + timedelta(days=LEAD_WINDOW),
        )
        visits = visits.filter(Exists(links))
    return visits


def _young_at() -> datetime:
    """New visitors from this instant on are too young for the rate."""
    now = datetime.now(UTC)
    return day_begins_at(matured_before(now, LEAD_WINDOW, settings.REPORTING_TIME_ZONE))


def _earlier() -> QuerySet[Visit]:
    """Visits of the same visitor before."""
    same = Visit.objects.filter(
        anonymous_id=OuterRef("anonymous_id"), is_machine=OuterRef("is_machine")
    )
    return same.filter(
        Q(started_at__lt=OuterRef("started_at"))
        | Q(started_at=OuterRef("started_at"), pk__lt=OuterRef("pk"))
    )


def _visits_before(filters: TrafficFilters) -> QuerySet[Visit]:
    """Earlier visits of the same visitor in the same period and segment: the first one counts."""
    return _earlier().filter(_in_period("started_at", filters), **filters.segment)


@dataclass(frozen=True)
class VisitPage:
    """Rows, newest first, and where the next page begins ("" at the end)."""

    visits: list[Visit]
    after: str


def read_visit_page(visits: QuerySet[Visit], after: str, size: int = PAGE_SIZE) -> VisitPage:
    """One page by keyset, with the leads' names."""
    visits = visits.select_related("lead").defer("pages", "lead__search", "lead__custom")
    return _read_page(visits, after, size)


def visits_in_batches(visits: QuerySet[Visit], size: int = 2_000) -> Iterator[Visit]:
    """Every row in many short queries: no statement runs into its time limit."""
    after = ""
    while True:
        page = _read_page(visits.defer("pages"), after, size)
        yield from page.visits
        after = page.after
        if not after:
            return


def _read_page(visits: QuerySet[Visit], after: str, size: int) -> VisitPage:
    place = read_place(after)
    if place is not None:
        at, pk = place
        # The first condition is a range of the index; what comes before it is not read again.
        visits = visits.filter(started_at__lte=at)
        visits = visits.filter(Q(started_at__lt=at) | Q(pk__lt=pk))
    rows = list(visits.order_by("-started_at", "-pk")[: size + 1])
    has_more, rows = len(rows) > size, rows[:size]
    return VisitPage(rows, f"{rows[-1].started_at.isoformat()}~{rows[-1].pk}" if has_more else "")


def read_place(text: str) -> tuple[datetime, int] | None:
    """A place in the list; None for anything else that stands in the address."""
    instant, _tilde, pk = text.partition("~")
    try:
        at = parse_datetime(instant)
        number = int(pk)
        if at is None or at.tzinfo is None or not 0 < number < 2**63:
            return None
        return at.astimezone(UTC), number
    except (ValueError, OverflowError):
        return None


def leads_behind(user, wanted: WantedLeads, filters: TrafficFilters) -> QuerySet[Stay]:
    stays = Stay.objects.filter(
        stage=wanted.stage,
        reached_elapsed__isnull=False,
        entered_on__gte=filters.period.from_on,
        entered_on__lt=filters.period.until_on,
        lead__in=Lead.objects.visible_to(user),
        **{f"lead__{name}": value for name, value in filters.segment.items()},
    )
    if wanted.path:
        stays = stays.filter(Exists(_seen_before(wanted.path)))
    return stays


def _seen_before(path: str) -> QuerySet[Visit]:
    """Visits of the lead that saw the page before the stay began."""
    visits = Visit.objects.human().filter(lead=OuterRef("lead_id"), pages__has_key=path)
    page = Value(path, output_field=TextField())
    seen_at = F("started_at") + _SeenAfter(F("pages"), page)
    return visits.annotate(seen_at=seen_at).filter(seen_at__lt=OuterRef("entered_at"))


class _SeenAfter(Func):
    """From the beginning of the visit until it first saw the page."""

    arg_joiner = " -> "
    template = "make_interval(secs => (%(expressions)s ->> 2)::integer)"
    output_field = DurationField()


def _in_period(field: str, filters: TrafficFilters) -> Q:
    condition = Q()
    if filters.period.from_on > date(1, 1, 2):
        condition &= Q(**{f"{field}__gte": day_begins_at(filters.period.from_on)})
    if filters.period.until_on != FOREVER:
        condition &= Q(**{f"{field}__lt": day_begins_at(filters.period.until_on)})
    return condition
