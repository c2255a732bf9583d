"""Time spent: cumulative per view, the longest told counts, no visit lasts longer than it did."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.tracking.test_visits import rules_as_migrated, settle
from tracking.engagement import MOST_MS
from tracking.models import Event, Visit
from tracking.sessions import GAP, Hit, split

__all__ = ["rules_as_migrated"]

BEGIN = datetime(2026, 3, 2, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MILLISECOND = timedelta(milliseconds=1)
STEPS = st.lists(
    st.tuples(
        st.integers(0, 40 * 60),  # seconds after the one before
        st.sampled_from(["page_viewed", "link_clicked", "page_engaged"]),
        st.sampled_from(["/a", "/b", "/c"]),
        st.integers(0, MOST_MS),
    ),
    min_size=1,
    max_size=15,
)


@given(STEPS)
def test_no_visit_was_looked_at_for_longer_than_it_lasted(steps):
    at, hits = BEGIN, []
    for seconds, kind, path, spent in steps:
        at += timedelta(seconds=seconds)
        spent = spent if kind == "page_viewed" else 0
        hits.append(Hit(at, kind, path, f"https://us.example{path}", "", None, None, spent))
    visits = split(hits)
    for visit in visits:
        mine = [hit for hit in hits if visit.started_at <= hit.at <= visit.ended_at]
        open_until = max(hit.at + hit.engaged_ms * MILLISECOND for hit in mine)
        assert visit.engaged_ms * MILLISECOND <= open_until - visit.started_at
        assert visit.engaged_ms <= sum(hit.engaged_ms for hit in mine)
        assert visit.engaged_ms >= max(hit.engaged_ms for hit in mine)  # one page is never cut
        pages = sum(spent for _views, spent, _first in visit.pages.values())
        assert visit.engaged_ms - len(visit.pages) < pages + 1 <= visit.engaged_ms + 1
        if sum(hit.engaged_ms for hit in mine) == visit.engaged_ms:
            assert pages == visit.engaged_ms
    assert all(b.started_at - a.ended_at > GAP for a, b in itertools.pairwise(visits))


def test_two_tabs_share_the_minutes_that_passed(tell):
    for name in "ab":
        tell("page", who="v1", url=f"https://us.example/{name}", message_id=name, ago=20 * MINUTE)
    for ago, spent in ((15, 300_000), (10, 600_000), (12, 480_000)):  # late, out of order, twice
        for name in "ab":
            said = {"page_view_id": name, "engaged_ms": spent}
            tell("Page Engaged", who="v1", ago=ago * MINUTE, **said)
            tell("Page Engaged", who="v1", ago=ago * MINUTE, **said)
    settle()
    views = Event.objects.filter(message_id__in="ab")
    assert set(views.values_list("engaged_ms", flat=True)) == {600_000}  # the longest, not the sum
    visit = Visit.objects.get()
    span = (visit.ended_at - visit.started_at) / MILLISECOND
    assert 590_000 < visit.engaged_ms <= span + 1_000
    spent = [spent for _views, spent, _first in visit.pages.values()]
    assert abs(sum(spent) - visit.engaged_ms) <= 2
    assert abs(spent[0] - spent[1]) <= 2


def test_what_a_sender_makes_up_is_cut(tell):
    tell("page", who="v1", url="https://us.example/a", engaged_seconds=10**9, ago=MINUTE)
    tell("page", who="v1", url="https://us.example/b", engaged_seconds=-5)
    settle()
    visit = Visit.objects.get()
    assert visit.engaged_ms == MOST_MS
    assert visit.pages["/b"][1] == 0
