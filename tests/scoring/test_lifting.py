"""What would lift a lead really does, by the arithmetic of the ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leads.models import Account, Lead
from scoring import rescore
from scoring.explanations import basis
from scoring.ledger import Fact
from scoring.lifting import MOST_TIMES, Books, Option, outcome_of, ways_up
from scoring.models import Signal
from scoring.suggesting import Suggestion, still_countable, suggestions
from tests.scoring.stories import good_fit_lead, settle, some_lead, standing_of, tell_events

GROUPS = ("", "content", "visits")


def points(low: int = -40, high: int = 60):
    return st.integers(low, high).map(float)


def sums():
    keys = st.tuples(st.sampled_from(("fit", "interest")), st.sampled_from(GROUPS))
    return st.dictionaries(keys, points(), max_size=6)


@st.composite
def options(draw) -> list[Option]:
    found = []
    for key in range(draw(st.integers(0, 6))):
        is_fit = draw(st.booleans())
        found.append(
            Option(
                key=key,
                axis="fit" if is_fit else "interest",
                group=draw(st.sampled_from(GROUPS)),
                points=draw(points(1)),
                most=1 if is_fit else draw(st.sampled_from([None, 0, 1, 3])),
                fields=frozenset(draw(st.sets(st.sampled_from("abc"), max_size=2)))
                if is_fit
                else frozenset(),
            )
        )
    return found


@st.composite
def books(draw) -> Books:
    cap = st.one_of(st.none(), st.integers(5, 40).map(Decimal))
    caps = {("interest", group): draw(cap) for group in GROUPS[1:]}
    return Books(
        sums=draw(sums()),
        caps={key: value for key, value in caps.items() if value is not None},
        bounds={"fit": (Decimal(-50), Decimal(50)), "interest": (Decimal(-50), Decimal(100))},
        cuts={"fit": Decimal(20), "interest": Decimal(25)},
        threshold=Decimal(draw(st.integers(30, 120))),
        is_blocked=draw(st.booleans()),
    )


@given(books(), options())
def test_each_way_crosses_and_keeps_to_every_limit(known, possible):
    for way in ways_up(known, possible):
        found = outcome_of(known, way.steps)
        assert found.is_promising and not known.is_blocked
        assert found.score >= known.threshold and found.fit >= 20 and found.interest >= 25
        asked = [field for option, _times in way.steps for field in option.fields]
        assert len(asked) == len(set(asked))
        for option, times in way.steps:
            assert 1 <= times <= (MOST_TIMES if option.most is None else option.most)


@given(books(), options())
def test_no_way_is_longer_than_it_must_be(known, possible):
    for way in ways_up(known, possible):
        if len(way.steps) == 1 and way.effort > 1:
            [(option, times)] = way.steps
            assert not outcome_of(known, [(option, times - 1)]).is_promising


def test_a_cap_stops_what_repeating_would_do():
    known = Books(
        sums={("fit", ""): 40.0},
        caps={("interest", "content"): Decimal(20)},
        bounds={"fit": (Decimal(-50), Decimal(50)), "interest": (Decimal(-50), Decimal(100))},
        cuts={"fit": Decimal(20), "interest": Decimal(25)},
        threshold=Decimal(60),
    )
    download = Option(1, "interest", "content", 15.0)
    assert ways_up(known, [download]) == []
    [way] = ways_up(known, [download, Option(2, "interest", "", 10.0, most=1)])
    assert way.effort == 2 and way.outcome.score == 65


# --- With the product's own model ---------------------------------------------------


def scored(lead: Lead, *stories: str) -> Lead:
    tell_events(lead, *stories)
    rescore.enqueue([lead.pk])
    settle()
    return lead


def suggested(lead: Lead) -> list[Suggestion]:
    books_now = basis(lead)
    return suggestions(lead, books_now.ledger, books_now.facts, books_now.explanation)


def words(suggestion: Suggestion) -> list[tuple[int, str]]:
    return [(step.times, step.rule.signal.key) for step in suggestion.steps]


def applied(lead: Lead, suggestion: Suggestion):
    """The explanation with these things added as facts, by the Ledger itself."""
    known = basis(lead)
    at = known.explanation.as_of
    new = [
        Fact(step.rule.signal, at, event_id=None if step.rule.signal.is_fit else 10**9 + n)
        for step in suggestion.steps
        for n in range(step.times)
    ]
    return known.ledger.at([*known.facts, *new], at)


@pytest.mark.django_db
def test_a_demo_request_would_do_and_really_does():
    lead = scored(good_fit_lead(), "pricing_page_viewed 2d ago /pricing")
    found = suggested(lead)
    assert 2 <= len(found) <= 5
    for suggestion in found:
        after = applied(lead, suggestion)
        assert after.is_promising and after.score == suggestion.score
    [demo] = [s for s in found if words(s) == [(1, "demo")]]
    scored(lead, "demo_requested 0d ago")
    standing = standing_of(lead)
    assert standing.is_promising and abs(standing.score - demo.score) < 1


@pytest.mark.django_db
def test_what_nobody_knows_yet_is_proposed_and_what_is_known_to_be_otherwise_is_not():
    account = Account.objects.create(name="Acme", industry="Insurance", country="DE")
    lead = some_lead(country="DE")
    lead.account = account
    lead.save()
    scored(lead, "demo_requested 0d ago", "pricing_page_viewed 0d ago /pricing")
    found = suggested(lead)
    keys = {key for suggestion in found for _times, key in words(suggestion)}
    titles = [key for key in keys if _fields(key) == {"title"}]
    assert titles
    for suggestion in found:
        after = applied(lead, suggestion)
        assert after.is_promising and after.score == suggestion.score
    lead.title = "Gardener"
    lead.save()
    scored(lead)
    after = {key for suggestion in suggested(lead) for _times, key in words(suggestion)}
    assert not [key for key in after if _fields(key) == {"title"}]


def _fields(key: str) -> set[str]:
    return {condition["field"] for condition in Signal.objects.get(key=key).conditions}


@pytest.mark.django_db
def test_nothing_is_proposed_to_who_is_blocked_or_there_already():
    there = scored(good_fit_lead(), "demo_requested 0d ago", "pricing_page_viewed 0d ago")
    assert standing_of(there).is_promising and suggested(there) == []
    blocked = good_fit_lead()
    blocked.title = "Chief intern"
    blocked.save()
    scored(blocked, "pricing_page_viewed 0d ago")
    assert basis(blocked).explanation.blocking and suggested(blocked) == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("frequency", "max_count", "before", "more"),
    [
        ("once", 1, 0, 1),
        ("once", 1, 1, 0),
        ("per_period", 2, 1, 1),
        ("per_period", 2, 2, 0),
        ("per_distinct", 1, 3, MOST_TIMES),
        ("every", 1, 3, MOST_TIMES),
    ],
)
def test_how_often_something_could_still_count(frequency, max_count, before, more):
    signal = Signal(
        pk=1, axis="interest", frequency=frequency, max_count=max_count, period_days=366
    )
    at = datetime(2026, 5, 5, 12, tzinfo=UTC)  # within a period of 366 days, not at its beginning
    start = at - timedelta(minutes=1)
    facts = [Fact(signal, start, event_id=n + 1) for n in range(before)]
    assert still_countable(signal, facts, at) == more
