"""New events are added to the sums, or their lead is counted anew: nobody can tell which."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from unittest import mock

import pytest
from django.contrib.admin import site
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from leads.imports.account_target import AccountPlanner
from leads.models import Account, Lead
from leads.touches import Origin, restate_origins
from scoring import folding, rescore
from scoring.adding import add_new_events, find_ready
from scoring.models import DirtyLead, Signal
from scoring.verifying import verify
from tests.factories import LeadFactory
from tests.scoring import oracle
from tests.scoring.oracle import Law, Told
from tests.scoring.stories import settle, website
from tests.scoring.test_arithmetic import (
    BOUNDS,
    agree,
    agreements,
    caps,
    examples,
    interest_of,
    stories,
    tell,
)
from tracking.models import Event, Verdict
from tracking.signals import event_recorded

pytestmark = pytest.mark.django_db

BEGIN = datetime(2025, 3, 20, tzinfo=UTC)
MINUTES_LATE = (0, 0, 0, 0, 3, 60, 3 * 1440, 50 * 1440)


class Life:
    """Two leads, what they did so far, and which news of it no fold has taken up yet."""

    def __init__(self, chance) -> None:
        self.chance = chance
        self.leads = [LeadFactory(email=f"drawn{n}@acme.example") for n in range(2)]
        self.told: dict[int, list[Told]] = {lead.pk: [] for lead in self.leads}
        self.news: list[tuple[int, datetime | None]] = [(lead.pk, None) for lead in self.leads]

    def arrive(self, events: list[Told]) -> None:
        lead = self.chance.choice(self.leads)
        tell(lead, events)
        self.told[lead.pk] += events
        self.news.append((lead.pk, min(event.at for event in events)))
        if self.chance.random() < 0.2:  # announced again
            self.news.append((lead.pk, min(event.at for event in events)))

    def judge(self) -> None:
        """One event turns out to be a machine's, or not to be."""
        lead = self.chance.choice(self.leads)
        if not (told := self.told[lead.pk]):
            return
        place = self.chance.randrange(len(told))
        event = told[place] = replace(told[place], is_machine=not told[place].is_machine)
        verdict = Verdict.MACHINE if event.is_machine else Verdict.HUMAN
        Event.objects.filter(pk=1_000_000 + event.number).update(verdict=verdict)
        self.news.append((lead.pk, None))

    def fold(self, some: list[tuple[int, datetime | None]]) -> None:
        """A worker takes up some news. Others may have the rest, or it was killed."""
        touched: dict[int, datetime | None] = {}
        for lead_id, since in some:
            before = touched.get(lead_id, since)
            touched[lead_id] = min(before, since) if before and since else None
        is_killed = self.chance.random() < 0.1
        with transaction.atomic():
            folding.fold(touched)
            transaction.set_rollback(is_killed)
        if not is_killed:
            self.news = [line for line in self.news if line not in some]

    def fold_some(self) -> None:
        self.fold(self.chance.sample(self.news, self.chance.randint(0, len(self.news))))

    def fold_all(self) -> None:
        while self.news:
            self.fold(list(self.news))


@examples
@given(stories, agreements, caps, st.randoms(use_true_random=True))
def test_whatever_happens_meanwhile_the_books_balance(db, story, some_laws, some_caps, chance):
    clock = BEGIN
    late = {event.number: timedelta(minutes=chance.choice(MINUTES_LATE)) for event in story}
    arrivals = sorted(story, key=lambda event: event.at + late[event.number])
    with transaction.atomic(), mock.patch.object(folding, "database_instant", lambda: clock):
        agree(some_laws, some_caps)
        life = Life(chance)
        life.fold_all()
        while arrivals:
            some = [arrivals.pop(0) for _ in range(min(len(arrivals), chance.randint(1, 3)))]
            clock = max(clock, chance.choice(some).at + timedelta(minutes=chance.randint(0, 900)))
            life.arrive(some)
            if chance.random() < 0.1:
                life.judge()
            life.fold_some()
            if chance.random() < 0.3:
                life.fold_all()
                for lead in life.leads:
                    assert_right(lead, life.told[lead.pk], some_laws, some_caps)
        life.fold_all()
        for lead in life.leads:
            assert_right(lead, life.told[lead.pk], some_laws, some_caps)
        assert verify(None) == []
        transaction.set_rollback(True)


def assert_right(lead: Lead, story: list[Told], laws: list[Law], some_caps: dict) -> None:
    found, as_of = interest_of(lead)
    assert found == oracle.interest(laws, some_caps, BOUNDS, story, as_of)


LAWS = [
    Law("page_viewed", Decimal(1), 14, frequency="per_period", most=2, days=1),
    Law("page_viewed", Decimal(3), 30, frequency="per_distinct"),
    Law("form_submitted", Decimal(5), None, frequency="once"),
    Law("email_opened", Decimal(2), 7),
]
AT = datetime(2025, 5, 14, 12, tzinfo=UTC)


def later(number: int, kind: str, minutes: int, path: str = "/a") -> Told:
    return Told(number, kind, AT + timedelta(minutes=minutes), path)


def test_later_events_are_added_without_reading_the_past():
    story = [later(n, "page_viewed", n - 200) for n in range(3)] + [later(3, "email_opened", -90)]
    agree(LAWS, {})
    lead = LeadFactory(email="adds@acme.example")
    tell(lead, story)
    with mock.patch.object(folding, "database_instant", lambda: AT):
        folding.fold({lead.pk: None})
    steps = [
        [later(10, "page_viewed", 10)],  # the third of that day
        [later(11, "email_opened", 20), later(12, "form_submitted", 21)],
        [later(13, "page_viewed", 30, "/b"), later(14, "form_submitted", 31)],
        [later(15, "page_viewed", 1500), later(16, "page_viewed", 1501, "/c")],
    ]
    for some in steps:
        tell(lead, some)
        story += some
        now = max(event.at for event in some) + timedelta(minutes=1)
        with mock.patch.object(folding, "database_instant", lambda now=now: now):
            signals = list(Signal.objects.all())
            ready = find_ready({lead.pk: some[0].at}, signals, now)
            with transaction.atomic():
                assert add_new_events(ready, signals, now) == {lead.pk}
                transaction.set_rollback(True)
            folding.fold({lead.pk: some[0].at})
            assert_right(lead, story, LAWS, {})
            assert verify(None) == []


@pytest.mark.parametrize("minutes", [-1, 0])
def test_who_did_something_earlier_is_counted_anew(minutes):
    agree(LAWS, {})
    lead = LeadFactory(email="late@acme.example")
    with mock.patch.object(folding, "database_instant", lambda: AT):
        folding.fold({lead.pk: None})
    signals, now = list(Signal.objects.all()), AT + timedelta(hours=1)
    assert find_ready({lead.pk: AT + timedelta(minutes=minutes)}, signals, now) == {}
    assert find_ready({lead.pk: AT + timedelta(minutes=1)}, signals, now) == {lead.pk: AT}


def test_in_a_new_month_or_with_a_newer_signal_everything_is_counted_anew():
    agree(LAWS, {})
    lead = LeadFactory(email="month@acme.example")
    with mock.patch.object(folding, "database_instant", lambda: AT):
        folding.fold({lead.pk: None})
    signals, since = list(Signal.objects.all()), {lead.pk: AT + timedelta(days=1)}
    assert find_ready(since, signals, AT + timedelta(days=2))
    assert find_ready(since, signals, AT + timedelta(days=20)) == {}
    signals[-1].ordinal = 1 + max(signal.ordinal for signal in signals)
    assert find_ready(since, signals, AT + timedelta(days=2)) == {}


def test_what_counts_by_a_window_or_a_silence_is_counted_anew():
    agree([Law("page_viewed", Decimal(1), None, window=5), Law("email_opened", Decimal(2), 7)], {})
    lead = LeadFactory(email="window@acme.example")
    with mock.patch.object(folding, "database_instant", lambda: AT):
        folding.fold({lead.pk: None})
    signals, now = list(Signal.objects.all()), AT + timedelta(hours=1)
    tell(lead, [later(1, "email_opened", 1)])
    assert add_new_events({lead.pk: AT}, signals, now) == {lead.pk}
    tell(lead, [later(2, "page_viewed", 62)])
    ready = {lead.pk: now}
    assert add_new_events(ready, signals, now + timedelta(hours=1)) == set()


def test_news_of_events_says_since_when_and_of_losses_nothing():
    agree(LAWS, {})
    gains, loses, both = (LeadFactory(email=f"{n}@acme.example") for n in "abc")
    DirtyLead.objects.all().delete()
    tell(gains, [later(1, "email_opened", 5), later(2, "email_opened", 3)])
    tell(both, [later(3, "email_opened", 4)])
    ahead = Event.objects.create(
        source=website(), message_id="ahead", kind="email_opened", lead=gains,
        occurred_at=AT + timedelta(days=1), received_at=AT,
    )  # fmt: skip
    event_recorded.send(
        sender=Event,
        lead_ids=[gains.pk, loses.pk, both.pk],
        event_ids=[1_000_001, 1_000_002, 1_000_003, ahead.pk],
        losers=[both.pk],
    )
    rows = set(DirtyLead.objects.values_list("lead_id", "since"))
    assert rows == {
        (gains.pk, AT),
        (loses.pk, None),
        (both.pk, AT + timedelta(minutes=4)),
        (both.pk, None),
    }
    with CaptureQueriesContext(connection) as queries:
        DirtyLead.objects.filter(lead=both, since=None).update(attempts=1)  # its turn is first
        assert rescore.drain(limit=1) == 1
    assert sum("INSERT INTO leads_standing" in q["sql"] for q in queries.captured_queries) == 1
    assert not DirtyLead.objects.filter(lead=both).exists()  # its other row went along
    assert DirtyLead.objects.count() == 2
    settle()
    assert not DirtyLead.objects.exists() and verify(None) == []


def test_whoever_changes_fields_says_so():
    """A fold of later events alone does not look at fields."""
    account = Account.objects.create(name="Acme")
    lead = LeadFactory(email="fields@acme.example", account=account, channel="referral")

    def is_news() -> bool:
        return DirtyLead.objects.filter(lead=lead, since=None).delete()[0] > 0

    is_news()
    account.industry = "Automotive"
    planner = AccountPlanner(mock.Mock())
    planner._changed[account.pk] = (account, {"industry"})
    planner.apply()
    assert is_news()
    site._registry[Account].save_model(mock.Mock(), account, mock.Mock(), True)
    assert is_news()
    origin = Origin(lead.pk, ("referral", "", "", ""), ("email", "news", "", ""))
    assert restate_origins([origin]) == 1 and is_news()
    assert restate_origins([origin]) == 0 and not is_news()
