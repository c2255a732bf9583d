"""From what one browser did, in order, to its visits. Plain values, no database.

A visit ends when nothing happens for more than 30 minutes, when the browser comes back through
another campaign (other UTM values or another click id), or when another lead uses it. Each decision
looks back only, so what happened before an event never depends on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache, partial
from typing import Any

from tracking.channels import Arrival, Rule, decide, is_marked, read_arrival
from tracking.events import PAGE_VIEWS

GAP = timedelta(minutes=30)
MOST_PAGES = 100  # different pages that are counted apart in one visit
LONGEST_PATH = 500
Classify = Callable[[Arrival], dict[str, Any]]


@dataclass(slots=True)
class Hit:
    """An event, as far as a visit needs it. `engaged_ms`: milliseconds spent on the page."""

    at: datetime
    kind: str
    path: str
    url: str
    referrer: str
    campaign: dict[str, Any] | None
    lead_id: int | None
    engaged_ms: int = 0

    @property
    def has_address(self) -> bool:
        return bool(self.url or self.referrer or self.campaign)

    @property
    def arrival(self) -> Arrival:
        arrival = read_arrival(self.url, self.referrer, self.campaign)
        return arrival._replace(landing_path=(self.path or arrival.landing_path)[:LONGEST_PATH])


@dataclass(slots=True)
class Session:
    """One visit while it is added up. `arrival` is that of the first event with an address."""

    started_at: datetime
    ended_at: datetime
    arrival: Arrival | None = None
    landing_path: str = ""
    lead_id: int | None = None
    event_count: int = 0
    page_views: int = 0
    views: dict[str, int] = field(default_factory=dict)  # page → views
    first_seen: dict[str, int] = field(default_factory=dict)  # page → seconds after the start
    told_ms: int = 0  # spent on all pages together, by what was told of each view
    spent: dict[str, int] = field(default_factory=dict)  # page → milliseconds of these
    open_until: datetime | None = None  # when the last of its pages was surely still open

    def add(self, hit: Hit) -> None:
        self.ended_at = hit.at
        open_until = hit.at + timedelta(milliseconds=hit.engaged_ms)
        self.open_until = max(open_until, self.open_until or open_until)
        self.event_count += 1
        if self.arrival is None and hit.has_address:
            self.arrival = hit.arrival
        self.landing_path = self.landing_path or hit.path[:LONGEST_PATH]
        self.lead_id = self.lead_id or hit.lead_id
        is_view = hit.kind in PAGE_VIEWS
        self.page_views += is_view
        self.told_ms += hit.engaged_ms
        page = hit.path[:LONGEST_PATH]
        if page and (is_view or hit.engaged_ms) and self._has_room(page):
            self.first_seen.setdefault(page, int((hit.at - self.started_at).total_seconds()))
            self.views[page] = self.views.get(page, 0) + is_view
            self.spent[page] = self.spent.get(page, 0) + hit.engaged_ms

    def _has_room(self, page: str) -> bool:
        return page in self.views or len(self.views) < MOST_PAGES

    @property
    def engaged_ms(self) -> int:
        """Milliseconds spent on the visit: never more than passed by while any page was open.

        Two windows may both be looked at, and a sender may tell anything.
        """
        lasted = (self.open_until or self.ended_at) - self.started_at
        return min(self.told_ms, int(lasted / timedelta(milliseconds=1)))

    @property
    def pages(self) -> dict[str, list[int]]:
        """As Visit.pages. What was told of several pages at a time is shared out among them."""
        told, spent = self.told_ms or 1, self.engaged_ms
        return {
            page: [count, self.spent[page] * spent // told, self.first_seen[page]]
            for page, count in self.views.items()
        }


def split(hits: Iterable[Hit]) -> list[Session]:
    """The visits that these events of one browser make. `hits` are in order."""
    sessions: list[Session] = []
    for hit in hits:
        if not sessions or _begins_another(sessions[-1], hit):
            sessions.append(Session(hit.at, hit.at))
        elif _changes_hands(sessions[-1], hit):
            sessions.append(_continued(sessions[-1], hit))
        sessions[-1].add(hit)
    return sessions


def _changes_hands(session: Session, hit: Hit) -> bool:
    return hit.lead_id is not None and hit.lead_id != session.lead_id


def _continued(session: Session, hit: Hit) -> Session:
    """The visit of whoever is recognised in the middle of one. Of nobody so far, it may have been
    this person all the time: then what brought the browser brought this person."""
    continued = Session(hit.at, hit.at)
    if session.lead_id is None:
        continued.arrival, continued.landing_path = session.arrival, session.landing_path
    return continued


def _begins_another(session: Session, hit: Hit) -> bool:
    if hit.at - session.ended_at > GAP:
        return True
    if session.arrival is None or not (hit.campaign or is_marked(hit.url)):
        return False
    mark = hit.arrival.mark
    return any(mark) and mark != session.arrival.mark


def columns_of(session: Session, classify: Classify) -> dict[str, Any]:
    """The columns of Visit that the session and the rules say, but whose it is."""
    arrival = (session.arrival or Arrival())._replace(landing_path=session.landing_path)
    return {
        "started_at": session.started_at,
        "ended_at": session.ended_at,
        "lead_id": session.lead_id,
        "event_count": session.event_count,
        "page_views": session.page_views,
        "engaged_ms": session.engaged_ms,
        "pages": session.pages,
        "has_utm": arrival.has_utm,
        "click_id": arrival.click_id,
        "referrer": arrival.referrer,
        "landing_path": arrival.landing_path,
        **classify(arrival),
    }


def classifier(rules: Sequence[Rule]) -> Classify:
    """`classified` by these rules. Most arrivals are like another: each is judged once, for as
    long as the caller keeps this."""
    return lru_cache(10_000)(partial(classified, rules=rules))


def classified(arrival: Arrival, rules: Sequence[Rule]) -> dict[str, Any]:
    """The columns of Visit that follow from the rules."""
    decision = decide(arrival, rules)
    touch = decision.touch._replace(channel=str(decision.touch.channel))
    return {**touch._asdict(), "rule_id": getattr(decision.rule, "pk", None)}
