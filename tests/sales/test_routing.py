"""Who gets a hand-off, and by when it has to be decided."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leads.actors import Actor
from leads.models import Lead
from sales import handoff as handoffs
from sales.routing import route
from sales.rules import (
    CLOSES,
    OPENS,
    Candidate,
    add_working_hours,
    choose_rep,
    working_minutes_between,
)
from sales.templatetags.sales_tags import working_time
from tests.conftest import person
from tests.sales.conftest import become_mql, handoff_of
from users.models import Team

BERLIN = ZoneInfo("Europe/Berlin")
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def rep(rep_id: int, load: int, capacity: int = 10, idle_days: int | None = None) -> Candidate:
    last = None if idle_days is None else MONDAY - timedelta(days=idle_days)
    return Candidate(rep_id, capacity, load, last)


@pytest.mark.parametrize(
    ("candidates", "chosen"),
    [
        ([], None),
        ([rep(1, 10), rep(2, 25, capacity=25)], None),
        ([rep(1, 0, capacity=0)], None),
        ([rep(1, 5), rep(2, 4)], 2),
        # Half as much for whoever can hold half as much.
        ([rep(1, 6, capacity=20), rep(2, 4, capacity=10)], 1),
        ([rep(1, 3, idle_days=1), rep(2, 3, idle_days=2)], 2),
        ([rep(1, 3, idle_days=9), rep(2, 3)], 2),
        ([rep(2, 3), rep(1, 3)], 1),
    ],
)
def test_the_rep_with_most_room_then_the_one_who_waited_longest(candidates, chosen):
    assert choose_rep(candidates) == chosen


@given(st.lists(st.integers(1, 40), min_size=1, max_size=8), st.integers(0, 200))
def test_taking_turns_fills_everyone_alike_and_nobody_above_capacity(capacities, count):
    load = dict.fromkeys(range(len(capacities)), 0)
    for turn in range(count):
        chosen = choose_rep(
            Candidate(i, capacities[i], load[i], MONDAY + timedelta(minutes=turn)) for i in load
        )
        if chosen is None:
            assert sum(load.values()) == sum(capacities)
            break
        load[chosen] += 1
    shares = [Fraction(load[i], capacities[i]) for i in load]
    assert max(shares) <= 1
    assert max(shares) - min(shares) <= Fraction(1, min(capacities))


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-03-02 10:00", 2, "2026-03-02 12:00"),
        ("2026-03-02 09:00", 8, "2026-03-02 17:00"),
        ("2026-03-02 10:00", 8, "2026-03-03 10:00"),
        ("2026-03-02 03:00", 1, "2026-03-02 10:00"),
        ("2026-03-02 17:00", 1, "2026-03-03 10:00"),
        ("2026-03-06 16:00", 8, "2026-03-09 16:00"),
        ("2026-03-07 12:00", 8, "2026-03-09 17:00"),
        # Summer time begins on Sunday the 29th, ends on Sunday, October 25th.
        ("2026-03-27 16:00", 8, "2026-03-30 16:00"),
        ("2026-10-23 16:00", 8, "2026-10-26 16:00"),
    ],
)
def test_working_hours(start, hours, due):
    assert add_working_hours(berlin(start), hours, BERLIN) == berlin(due)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), st.integers(1, 40), st.integers(1, 40)
)
def test_working_hours_add_up_and_end_while_people_work(naive, first, second):
    start = naive.replace(tzinfo=UTC)
    middle = add_working_hours(start, first, BERLIN)
    assert add_working_hours(middle, second, BERLIN) == add_working_hours(
        start, first + second, BERLIN
    )
    local = middle.astimezone(BERLIN)
    assert local.weekday() < 5 and OPENS < local.time() <= CLOSES


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), st.integers(1, 60))
def test_time_left_runs_from_all_of_it_to_nothing(naive, hours):
    start = naive.replace(tzinfo=UTC)
    due = add_working_hours(start, hours, BERLIN)
    assert working_minutes_between(start, due, BERLIN) in (hours * 60, hours * 60 - 1)
    assert working_minutes_between(due, due, BERLIN) == 0
    later = add_working_hours(due, 2, BERLIN)
    assert working_minutes_between(later, due, BERLIN) == -120


def test_a_weekend_does_not_count():
    friday, sunday = berlin("2026-03-06 16:30"), berlin("2026-03-08 12:00")
    assert working_minutes_between(friday, sunday, BERLIN) == 30
    assert working_minutes_between(berlin("2026-03-06 17:00"), sunday, BERLIN) == 0


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0, "0 min"), (59, "59 min"), (61, "1 h 1 min"), (480, "1 d"), (-1020, "2 d 1 h")],
)
def test_working_time_in_words(minutes, words):
    assert working_time(minutes) == words


def test_the_team_that_sells_to_the_country(db, ana):
    everywhere = Team.objects.create(name="World")
    korea = Team.objects.create(name="Korea", countries=["KR"])
    person("Wim", "rep", everywhere)
    ha_na = person("Hana", "rep", korea)
    assert route(Lead(country="KR")).assignee == ha_na
    assert route(Lead(country="FR")).team == everywhere
    assert route(Lead()).team == everywhere


def test_a_country_nobody_sells_to_goes_to_somebody(db):
    korea = Team.objects.create(name="Korea", countries=["KR"])
    hana = person("Hana", "rep", korea)
    assert route(Lead(country="FR")).assignee == hana


def test_leads_are_shared_out_by_turns(ana, sam, north):
    tom = person("Tom", "rep", north)
    owners = [become_mql(ana).owner for _number in range(4)]
    assert owners == [sam, tom, sam, tom]


def test_accepted_leads_count_and_rejected_ones_do_not(ana, sam, north):
    tom = person("Tom", "rep", north)
    first, second = (handoff_of(become_mql(ana)) for _number in range(2))
    handoffs.accept(first.pk, by=Actor.of(sam))
    handoffs.reject(second.pk, by=Actor.of(tom), reason_code="student")
    assert [become_mql(ana).owner for _number in range(2)] == [tom, sam]


def test_nobody_above_capacity_and_the_queue_says_why(ana, sam, north):
    sam.capacity = 1
    sam.save()
    assert become_mql(ana).owner == sam
    queued = handoff_of(become_mql(ana))
    assert (queued.assignee, queued.team, queued.queue_reason) == (None, north, "all_full")
    assert [event.kind for event in queued.events.all()] == ["submitted", "queued"]


@pytest.mark.parametrize("field", ["is_available", "is_active"])
def test_nobody_there(ana, sam, field):
    setattr(sam, field, False)
    sam.save()
    reason = "all_absent" if field == "is_available" else "no_reps"
    assert handoff_of(become_mql(ana)).queue_reason == reason


def test_without_any_team_the_handoff_waits_where_an_admin_sees_it(ana):
    queued = handoff_of(become_mql(ana))
    assert (queued.team, queued.queue_reason) == (None, "no_team")


def test_a_queue_forms_in_the_team_that_waits_least(ana, north, south):
    teams = [handoff_of(become_mql(ana)).team.name for _number in range(4)]
    assert teams == ["North", "South", "North", "South"]


def test_a_lead_stays_with_the_rep_who_knows_it_even_if_busy(sam, sue, mia):
    sam.capacity = 0
    sam.save()
    assert route(Lead(owner=sam)).assignee == sam
    sam.is_available = False
    assert route(Lead(owner=sam)).assignee == sue
    assert route(Lead(owner=mia)).assignee == sue
