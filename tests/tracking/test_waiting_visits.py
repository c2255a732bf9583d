"""Which browsers are folded next: a long history or a poisoned browser holds up nobody else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.tracking.test_visits import rules_as_migrated
from tracking import attaching, visiting, waiting_visits
from tracking.models import StaleVisits, Visit
from tracking.sessions import GAP
from tracking.waiting_visits import MAX_ATTEMPTS

__all__ = ["rules_as_migrated"]

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def view(tell):
    """A page view of that browser, attached: its visits wait to be folded."""

    def view(who: str, ago: timedelta = timedelta()) -> None:
        tell("page", who=who, url="https://us.example/a", ago=ago)
        while attaching.drain():
            pass

    return view


@pytest.fixture
def folds(monkeypatch):
    """The browsers of each fold so far, and a set of those that cannot be folded."""
    refold = visiting.refold

    class Folds(list):
        poisoned: set[str] = set()

    folds = Folds()

    def watched(since):
        folds.append(set(since))
        if folds.poisoned & set(since):
            raise ZeroDivisionError("poison")
        return refold(since)

    monkeypatch.setattr(visiting, "refold", watched)
    return folds


def drain() -> int:
    """As the relay does, which goes on after a failure."""
    try:
        return visiting.drain()
    except ZeroDivisionError:
        return 1


def drain_all() -> None:
    while drain():
        pass


def test_a_fold_may_compute_for_as_long_as_it_needs(view, monkeypatch):
    """The database ends who is idle in a transaction; one that computes is not idle."""
    allowed = []

    def ask(*_args):
        with connection.cursor() as cursor:
            cursor.execute("SHOW idle_in_transaction_session_timeout")
            allowed.append(cursor.fetchone()[0])
        return []

    view("v1")
    monkeypatch.setattr(visiting, "_drafts", ask)
    for work in (visiting.drain, visiting.differences, visiting.rebuild):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '15s'")
        work()
    assert set(allowed) == {"0"}
    assert len(allowed) >= 4


def test_one_fold_serves_all_that_changed_about_a_browser(view, folds):
    folds.poisoned = {"v0"}
    for _ in range(4):
        for number in range(3):
            view(f"v{number}")
    assert StaleVisits.objects.count() >= 12
    drain()
    assert folds == [{"v0", "v1", "v2"}]
    folds.poisoned = set()
    drain_all()
    assert sorted(map(sorted, folds[1:])) == [["v0"], ["v1"], ["v2"]]
    assert not StaleVisits.objects.exists()
    assert Visit.objects.count() == 3


def test_rows_of_one_browser_cost_one_attempt_together(view, folds):
    folds.poisoned = {"v1"}
    for _ in range(3):
        view("v1")
    drain_all()
    assert len(folds) == MAX_ATTEMPTS
    assert set(StaleVisits.objects.values_list("attempt_count", flat=True)) == {MAX_ATTEMPTS}


def test_what_was_given_up_is_taken_along_by_the_next_change(view, folds):
    folds.poisoned = {"v1"}
    view("v1", 90 * MINUTE)
    drain_all()
    folds.poisoned = set()
    view("v1")
    drain_all()
    assert not StaleVisits.objects.exists()
    assert Visit.objects.count() == 2


def test_what_cannot_be_folded_yet_does_not_spoil_what_is_new(view, folds):
    """The old change of a browser stays poison; what it does afterwards is folded all the same."""
    folds.poisoned = {"v1"}
    view("v1", 90 * MINUTE)
    drain_all()
    view("v1")
    drain()  # took the old change along once more
    folds.poisoned = set()
    StaleVisits.objects.filter(attempt_count=MAX_ATTEMPTS).update(since=START)
    drain_all()
    assert list(StaleVisits.objects.values_list("since", flat=True)) == [START]
    assert Visit.objects.exists()


def test_what_failed_has_its_turn_however_much_is_new(view, folds):
    folds.poisoned = {"v1"}
    view("v1")
    view("v2")
    drain()
    folds.poisoned = set()
    for number in range(3):
        view(f"new{number}")
        drain()
    assert set(Visit.objects.values_list("anonymous_id", flat=True)) >= {"v1", "v2"}


def test_a_poisoned_browser_that_goes_on_holds_up_nobody(view, folds):
    folds.poisoned = {"bad"}
    view("bad")
    drain()
    for number in range(2 * MAX_ATTEMPTS):
        view("bad")
        view(f"good{number}")
        drain()
        assert Visit.objects.filter(anonymous_id=f"good{number}").exists()
    assert all(fold == {"bad"} or "bad" not in fold for fold in folds[1:])


def test_long_histories_are_folded_by_themselves_after_all_others(view, folds, monkeypatch):
    monkeypatch.setattr(waiting_visits, "LONG_REACH", 3)
    for who in ("long1", "short1", "long2", "short2"):
        for days in range(5 if who.startswith("long") else 1):
            view(who, timedelta(days=days))
    drain()
    assert folds == [{"short1", "short2"}, {"long1"}]
    view("short3")
    drain_all()
    assert folds[2:] == [{"short3"}, {"long2"}]
    view("long1")  # reaches back to the last visit only
    view("short1")
    drain_all()
    assert folds[4:] == [{"long1", "short1"}]


def test_a_batch_is_cut_by_the_events_it_reads(view, folds, monkeypatch):
    monkeypatch.setattr(waiting_visits, "MOST_EVENTS", 5)
    for number in range(4):
        for hours in range(2):
            view(f"v{number}", timedelta(hours=hours))
    drain_all()
    assert folds == [{"v0", "v1"}, {"v2", "v3"}]


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(0, 50), st.booleans()), max_size=12),
    st.integers(-60, 700),
)
def test_no_more_is_read_than_an_event_may_change(lengths, minute):
    """From the beginning of the visit that an event may belong to, and of those it may continue."""
    Visit.objects.all().delete()
    since, at = START + minute * MINUTE, {False: START, True: START}
    visits = []
    for pause, length, is_machine in lengths:
        began = at[is_machine] + pause * MINUTE
        at[is_machine] = began + length * MINUTE
        span = {"started_at": began, "ended_at": at[is_machine], "event_count": 1, "page_views": 1}
        visits.append(Visit(anonymous_id="v1", is_machine=is_machine, channel="direct", **span))
    Visit.objects.bulk_create(visits)
    expected = {("v1", is_machine): since for is_machine in (False, True)}
    for visit in reversed(visits):
        stream = "v1", visit.is_machine
        if expected[stream] - visit.ended_at <= GAP:
            expected[stream] = min(expected[stream], visit.started_at)
    assert visiting.starts_of({"v1": since}) == expected
