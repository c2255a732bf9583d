"""The story is believable, agrees with the score, and is the same for the same seed."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from funnel_app.demo.casting import ENDINGS, cast_roles
from funnel_app.demo.gauge import Gauge, Meter
from funnel_app.demo.prospects import groups
from funnel_app.demo.seasons import Calendar, office_hours_before
from funnel_app.demo.story import LeadStory, tell_leads
from funnel_app.demo.visitors import strangers
from leads.stages import FUNNEL, MOVES, Stage
from sales.rules import add_working_hours

END = datetime(2026, 6, 10, 14, tzinfo=UTC)
START = END - timedelta(days=548)
REPS = (("sam@demo.example", ("DE", "AT")), ("jisoo@demo.example", ("KR",)))


def tell(gauge: Gauge, leads: int = 250, seed: int = 7) -> list[LeadStory]:
    cast = cast_roles(REPS, leads, seed)
    told = groups(seed, leads, Calendar(START, END), cast)
    return [story for group in told for story in tell_leads(group, gauge, END, 0.5)]


@pytest.fixture(scope="module")
def gauge(django_db_setup, django_db_blocker) -> Gauge:
    with django_db_blocker.unblock():
        gauge = Gauge.of_active_version()
    assert gauge is not None
    return gauge


@pytest.fixture(scope="module")
def stories(gauge) -> list[LeadStory]:
    return tell(gauge, leads=2_500)


def essence(story: LeadStory) -> tuple:
    return (story.person, story.journey, list(story.happenings))


def test_the_same_seed_tells_the_same_story(gauge):
    assert list(map(essence, tell(gauge))) == list(map(essence, tell(gauge)))


def test_another_seed_tells_another_story(gauge):
    assert list(map(essence, tell(gauge, 20))) != list(map(essence, tell(gauge, 20, seed=8)))


def test_there_are_exactly_as_many_people_as_asked_for_and_no_address_twice(stories):
    emails = [story.person.email for story in stories]
    domains = {s.person.company.domain for s in stories if s.person.company}
    names = {s.person.company.name for s in stories if s.person.company}
    assert len(emails) == len(set(emails)) == 2_500
    assert len(domains) == len(names)


def test_nobody_gets_an_address_that_somebody_may_own(stories):
    for story in stories:
        local, _at, domain = story.person.email.partition("@")
        assert domain.endswith(".example") or (domain == "gmail.com" and "_" in local)


def test_every_step_is_legal_and_none_lies_in_the_future_or_runs_backwards(stories):
    for story in stories:
        steps = story.journey.steps
        assert all(step.move in MOVES for step in steps)
        assert steps[0].move.from_stage == "" and steps[-1].at < END
        for before, after in pairwise(steps):
            assert after.move.from_stage == before.move.to_stage
            assert after.at >= before.at
            assert after.cycle == before.cycle + after.move.starts_cycle


def test_happenings_come_in_order_and_before_the_end(stories):
    for story in stories:
        instants = [happening.at for happening in story.happenings]
        assert instants == sorted(instants)
        assert not instants or instants[-1] < END


def test_whoever_became_an_mql_by_the_rule_was_promising_then_and_not_before(stories, gauge):
    crossings = 0
    for story in stories:
        meter = Meter(gauge, story.person.fields)
        hours = [s.at for s in story.journey.steps if s.move.to_stage == "mql" and s.by == "rule"]
        for happening in story.happenings:
            while hours and hours[0] < happening.at:
                assert meter.promises_at(hours.pop(0))
                crossings += 1
            meter.take(happening)
        for hour in hours:
            assert meter.promises_at(hour)
            crossings += 1
    assert crossings > 300


def test_the_funnel_narrows_at_every_stage(stories):
    reached = Counter(s.move.to_stage for story in stories for s in story.journey.steps)
    counts = [reached[stage] for stage in FUNNEL]
    assert all(after < before * 0.9 for before, after in pairwise(counts))
    assert counts[-1] > 20


def test_fixed_parts_end_as_they_must(stories):
    for story in stories:
        if story.person.role and story.person.role.story.rests:
            assert story.journey.stage == story.person.role.story.rests
    ends = {story.person.role.ending for story in stories if story.person.role}
    assert ends == set(ENDINGS)


def acceptance_rate(stories, of) -> float:
    decided = [
        proposal.state == "accepted"
        for story in stories
        for proposal in story.journey.proposals
        if proposal.decided_at and of(story, proposal)
    ]
    assert len(decided) >= 10
    return sum(decided) / len(decided)


def test_sales_wants_referrals_and_hardly_anybody_from_the_prize_draw(stories):
    good = acceptance_rate(stories, lambda s, _p: s.person.origin.starts == "word")
    poor = acceptance_rate(stories, lambda s, _p: s.person.origin.is_poor)
    assert good > 0.75 > 0.55 > poor


def test_what_comes_from_korea_seeps_away_lately(stories):
    def before(story, proposal):
        return story.person.country.code == "KR" and not lately(proposal)

    def since(story, proposal):
        return story.person.country.code == "KR" and lately(proposal)

    def lately(proposal):
        return proposal.submitted_at > END - timedelta(days=165)

    assert acceptance_rate(stories, since) < acceptance_rate(stories, before) - 0.25


def test_april_is_busier_than_december():
    calendar = Calendar(START, END)
    april = calendar.total(
        "fair", datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)
    )
    december = datetime(2025, 12, 1, tzinfo=UTC)
    quiet = calendar.total("fair", december, december + timedelta(days=30))
    assert april > 10 * quiet


def test_strangers_do_exactly_as_much_as_asked_for():
    told = list(strangers(7, Calendar(START, END), 1_000))
    assert sum(len(stranger.happenings) for stranger in told) == 1_000
    assert any(stranger.crawler for stranger in told)
    assert list(strangers(7, Calendar(START, END), 0)) == []


@pytest.mark.parametrize("hours", [0.5, 4, 8, 13.25, 40])
@pytest.mark.parametrize("day", [10, 12, 13, 14, 15])  # Wednesday, Friday, weekend, Monday
def test_office_hours_are_counted_backwards_as_forwards(hours, day):
    at = datetime(2026, 6, day, 11, 30, tzinfo=UTC)
    earlier = office_hours_before(at, hours, "Europe/Berlin")
    due = add_working_hours(earlier, hours, ZoneInfo("Europe/Berlin"))
    # At night and on the weekend the clock stands still.
    assert due <= at and add_working_hours(due, 0.01, ZoneInfo("Europe/Berlin")) > at


def test_a_lead_at_rest_in_mql_waits_for_sales(stories):
    for story in stories:
        waits = [p for p in story.journey.proposals if p.state == "submitted"]
        assert len(waits) == (story.journey.stage == Stage.MQL)
