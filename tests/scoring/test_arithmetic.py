"""Incremental = rebuilt = ledger = oracle: for any story, told in any order, twice, or late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leads.models import Lead, Standing
from scoring import folding, rescore
from scoring.ledger import Ledger, facts_of
from scoring.models import GroupCap, ModelVersion, Rule, Signal
from scoring.verifying import verify
from tests.factories import LeadFactory
from tests.scoring import oracle
from tests.scoring.oracle import Law, Told
from tests.scoring.stories import enforce, website
from tracking.models import Event, Verdict

pytestmark = pytest.mark.django_db

BEGIN = datetime(2025, 3, 20, tzinfo=UTC)  # a change to summer time lies ahead
KINDS = ("page_viewed", "form_submitted", "email_opened")
PATHS = ("", "/pricing", "/Careers/now", "/docs")
BOUNDS = (Decimal(-30), Decimal(60))

instants = st.integers(0, 400 * 24 * 60).map(lambda minutes: BEGIN + timedelta(minutes=minutes))
points = st.integers(-2000, 4000).map(lambda cents: Decimal(cents) / 100)
stories = st.lists(
    st.tuples(st.sampled_from(KINDS), instants, st.sampled_from(PATHS), st.booleans()),
    max_size=14,
).map(
    lambda rows: [
        Told(number, kind, at, path, is_machine=machine and number % 3 == 0)
        for number, (kind, at, path, machine) in enumerate(rows)
    ]
)
laws = st.builds(
    Law,
    kind=st.sampled_from(KINDS),
    points=points,
    half_life=st.sampled_from([None, 1, 7, 45]),
    window=st.sampled_from([None, None, 5, 90, 1000]),
    silence=st.sampled_from([None, None, None, 20, 500]),
    group=st.sampled_from(["", "A", "B"]),
    frequency=st.sampled_from(["every", "once", "per_period", "per_distinct"]),
    most=st.integers(1, 3),
    days=st.sampled_from([1, 7, 30]),
    path_contains=st.sampled_from(["", "pricing", "careers"]),
)
agreements = st.lists(laws, min_size=1, max_size=5)
caps = st.fixed_dictionaries(
    {}, optional={"A": st.integers(0, 40).map(Decimal), "B": st.integers(0, 40).map(Decimal)}
)


def agree(some_laws: list[Law], some_caps: dict[str, Decimal]) -> ModelVersion:
    """Publish these laws in place of the version in force."""
    ModelVersion.objects.filter(state="active").update(state="retired")
    number = 1 + ModelVersion.objects.count()
    version = ModelVersion.objects.create(
        number=number, name="Drawn", threshold=10, fit_cut=0, interest_cut=5,
        interest_floor=BOUNDS[0], interest_ceiling=BOUNDS[1],
    )  # fmt: skip
    for place, law in enumerate(some_laws):
        signal = Signal.objects.create(
            axis="interest", key=f"drawn-{place}", label=f"Law {place}", event_kind=law.kind,
            conditions=[{"field": "path", "operator": "contains", "value": law.path_contains}]
            if law.path_contains else [],
            frequency=law.frequency, max_count=law.most, period_days=law.days,
            distinct_field="path" if law.frequency == "per_distinct" else "",
            half_life_days=law.fading, window_days=law.lasting, inactive_days=law.silence,
            ordinal=100 + place,
        )  # fmt: skip
        Rule.objects.create(version=version, signal=signal, points=law.points, group=law.group)
    for group, cap in some_caps.items():
        GroupCap.objects.create(version=version, axis="interest", group=group, cap=cap)
    enforce(version)
    return version


def tell(lead: Lead, story: list[Told]) -> None:
    """Store these events under their numbers, as if they had arrived at once."""
    source = website()
    Event.objects.bulk_create(
        Event(
            id=1_000_000 + event.number,
            source=source,
            message_id=f"drawn-{event.number}",
            kind=event.kind,
            occurred_at=event.at,
            received_at=event.at,
            path=event.path,
            lead=lead,
            verdict=Verdict.MACHINE if event.is_machine else Verdict.HUMAN,
        )
        for event in story
    )


def fold(lead: Lead) -> None:
    folding.fold({lead.pk: None})


def interest_of(lead: Lead) -> tuple[Decimal, datetime]:
    standing = Standing.objects.get(lead=lead)
    return standing.interest, standing.scored_at


@pytest.fixture
def lead(db) -> Lead:
    lead = LeadFactory(email="drawn@acme.example")
    folding.fold({lead.pk: None})
    return lead


examples = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@examples
@given(stories, agreements, caps, st.randoms(use_true_random=False))
def test_any_order_gives_the_same_score(lead, story, some_laws, some_caps, chance):
    with transaction.atomic():
        agree(some_laws, some_caps)
        arrivals = story[:]
        chance.shuffle(arrivals)
        while arrivals:
            some = [arrivals.pop() for _ in range(min(len(arrivals), chance.randint(1, 5)))]
            tell(lead, some)
            fold(lead)
            fold(lead)  # told twice
        fold(lead)
        found, as_of = interest_of(lead)
        assert found == oracle.interest(some_laws, some_caps, BOUNDS, story, as_of)
        rescore.rebuild()
        found, as_of = interest_of(lead)
        assert found == oracle.interest(some_laws, some_caps, BOUNDS, story, as_of)
        rescore.recompute_all()
        assert interest_of(lead)[0] == oracle.interest(
            some_laws, some_caps, BOUNDS, story, interest_of(lead)[1]
        )
        assert verify(None) == []
        transaction.set_rollback(True)


@examples
@given(stories, agreements, caps, instants)
def test_the_ledger_of_any_instant_adds_up(lead, story, some_laws, some_caps, as_of):
    with transaction.atomic():
        version = agree(some_laws, some_caps)
        tell(lead, story)
        explanation = Ledger(version).at(facts_of(lead, as_of), as_of)
        right = oracle.interest(some_laws, some_caps, BOUNDS, story, as_of)
        assert explanation.interest == right
        assert sum(line.value for line in explanation.lines) == explanation.score
        for line in explanation.lines:
            assert abs(line.value - Decimal(line.exact)) < Decimal("0.010001")
        transaction.set_rollback(True)


@examples
@given(stories, agreements, caps)
def test_judging_an_event_anew_scores_anew(lead, story, some_laws, some_caps):
    with transaction.atomic():
        agree(some_laws, some_caps)
        tell(lead, story)
        fold(lead)
        Event.objects.filter(lead=lead).update(verdict=Verdict.MACHINE)
        fold(lead)
        assert interest_of(lead)[0] == max(BOUNDS[0], Decimal(0))
        transaction.set_rollback(True)


def test_decay_over_many_years_is_nothing_and_not_an_error(lead):
    agree([Law("page_viewed", Decimal(50), 1)], {})
    tell(lead, [Told(1, "page_viewed", datetime(2001, 1, 1, tzinfo=UTC))])
    fold(lead)
    assert interest_of(lead)[0] == 0
    rescore.recompute_all(as_of=datetime(2090, 1, 1, tzinfo=UTC))
    assert interest_of(lead)[0] == 0


def test_a_new_signal_is_counted_without_touching_the_others(lead):
    agree([Law("page_viewed", Decimal(10), 7)], {})
    story = [Told(1, "page_viewed", BEGIN), Told(2, "form_submitted", BEGIN)]
    tell(lead, story)
    fold(lead)
    before = read_sums(lead)
    late = Signal.objects.create(
        axis="interest", key="late", label="Late", event_kind="form_submitted", ordinal=120
    )
    rescore.rebuild([late])
    after = read_sums(lead)
    assert after[: len(before)] == before and after[119] == 1
    assert verify(None) == []
    late.event_kind = "email_opened"
    late.save()
    rescore.rebuild([late])
    assert read_sums(lead) == [*after[:119], 0]
    assert verify(None) == []


def read_sums(lead: Lead) -> list[float | None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sums FROM scoring_leadfeature WHERE lead_id = %s", [lead.pk])
        return cursor.fetchone()[0]


def test_who_never_did_anything_is_not_inactive(lead):
    agree([Law("page_viewed", Decimal(-10), None, silence=20)], {})
    fold(lead)
    assert interest_of(lead)[0] == 0
    tell(lead, [Told(1, "page_viewed", BEGIN)])
    fold(lead)
    assert interest_of(lead)[0] == -10
    assert verify(None) == []


def test_time_alone_ends_a_window_and_begins_a_silence(lead):
    agree(
        [
            Law("page_viewed", Decimal(10), None, window=30),
            Law("page_viewed", Decimal(-4), None, silence=20),
        ],
        {},
    )
    at = datetime.now(UTC) - timedelta(days=10)
    tell(lead, [Told(1, "page_viewed", at)])
    fold(lead)
    assert interest_of(lead)[0] == 10
    for days, interest in ((15, 10), (21, 6), (31, -4)):
        rescore.recompute_all(as_of=at + timedelta(days=days))
        assert interest_of(lead)[0] == interest
