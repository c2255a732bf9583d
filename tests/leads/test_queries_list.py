"""Finding leads: search, filters, orders and pages."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.utils.timezone import now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leads.filters import LeadFilter, search
from leads.models import Lead
from leads.paging import LEAD_SORTS, read_page
from leads.queries import as_rows, count_up_to, in_batches, known_values, leads_for
from tests.leads.people import make_lead


def names(leads) -> set[str]:
    return {lead.first_name for lead in leads}


@pytest.fixture
def crowd(db):
    make_lead(first_name="Anna", last_name="Müller", email="anna@acme.example", title="CTO")
    make_lead(
        first_name="Ben", last_name="O'Brien", email="ben.o@globex-data.example", company="Globex"
    )
    make_lead(first_name="Dae", last_name="김", email="dae@acme.example", company="한빛 자동화")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {"Anna", "Ben", "Dae"}),
        ("anna", {"Anna"}),
        ("ann", {"Anna"}),
        ("MÜLL", {"Anna"}),
        ("mül cto", {"Anna"}),
        ("muller", {"Anna"}),
        ("ben.o@globex-data.example", {"Ben"}),
        ("globex-data", {"Ben"}),
        ("data.example", {"Ben"}),
        ("anna globex", set()),
        ("o'brien", {"Ben"}),
        ("anna@acme.example", {"Anna"}),
        ("anna@ac", {"Anna"}),
        ("acme", {"Anna", "Dae"}),
        ("globex", {"Ben"}),
        ("한빛", {"Dae"}),
        ("김", {"Dae"}),
        ("nobody", set()),
        ("   ", {"Anna", "Ben", "Dae"}),
        ("!!! &|", set()),
        ("anna & | ! :*", {"Anna"}),
    ],
)
def test_every_word_of_a_search_begins_a_word_of_the_lead(crowd, text, found):
    assert names(search(Lead.objects.all(), text)) == found


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_no_search_can_break_the_query(crowd, text):
    assert search(Lead.objects.all(), text).count() <= 3


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (LeadFilter(stage="mql"), {"Mql"}),
        (LeadFilter(channel="event"), {"Event"}),
        (LeadFilter(source="google"), {"Google"}),
        (LeadFilter(country="KR"), {"Korea"}),
        (LeadFilter(quadrant="both"), {"High"}),
        (LeadFilter(score_min=Decimal(50)), {"High"}),
        (LeadFilter(score_max=Decimal("-1")), {"Low"}),
        (LeadFilter(reached="mql"), {"Mql"}),
        (LeadFilter(reached="mql", entered_from=date(2026, 3, 1)), set()),
        (LeadFilter(reached="mql", entered_from=date(2026, 2, 1)), {"Mql"}),
        (LeadFilter(reached="mql", entered_to=date(2026, 2, 1)), {"Mql"}),
        (LeadFilter(reached="mql", entered_to=date(2026, 1, 31)), set()),
        (LeadFilter(stage="mql", country="KR"), set()),
    ],
)
def test_filters_narrow_the_list(db, mia, wanted, found):
    make_lead(first_name="Mql", stage="mql", at=datetime(2026, 2, 1, 12, tzinfo=UTC))
    make_lead(first_name="Event", channel="event")
    make_lead(first_name="Google", source="google")
    make_lead(first_name="Korea", country="KR")
    make_lead(first_name="High", score=88, quadrant="both")
    make_lead(first_name="Low", score=-5)
    assert names(leads_for(mia, wanted)) == found


def test_days_are_cut_in_the_reporting_time_zone(db, mia, settings):
    settings.REPORTING_TIME_ZONE = "Asia/Seoul"
    make_lead(first_name="Late", stage="mql", at=datetime(2026, 2, 1, 20, tzinfo=UTC))
    assert names(leads_for(mia, LeadFilter(reached="mql", entered_to=date(2026, 2, 1)))) == set()
    wanted = LeadFilter(reached="mql", entered_from=date(2026, 2, 2))
    assert names(leads_for(mia, wanted)) == {"Late"}


def test_owner_team_and_nobody(sam, sue, mia):
    make_lead(first_name="Sams", owner=sam)
    make_lead(first_name="Sues", owner=sue)
    make_lead(first_name="Free")
    assert names(leads_for(mia, LeadFilter(owner_id=sam.pk))) == {"Sams"}
    assert names(leads_for(mia, LeadFilter(team_id=sue.team_id))) == {"Sues"}
    assert names(leads_for(mia, LeadFilter(is_unowned=True))) == {"Free"}


def test_nobody_finds_more_than_they_may_see(sam, sue, mona, viv, mia):
    make_lead(first_name="Sams", owner=sam)
    make_lead(first_name="Sues", owner=sue)
    seen = {str(user): names(leads_for(user, LeadFilter())) for user in (sam, sue, mona, viv, mia)}
    assert seen == {
        "Sam": {"Sams"},
        "Sue": {"Sues"},
        "Mona": {"Sams"},
        "Viv": set(),
        "Mia": {"Sams", "Sues"},
    }


@pytest.fixture
def many(db) -> list[Lead]:
    """Leads with ties in every order, some without a last name or any activity."""
    return [
        make_lead(
            first_name=f"P{n}",
            last_name=("" if n % 4 == 0 else f"Name{n % 3}"),
            score=n % 5,
            last_activity_at=None if n % 3 == 0 else now() - timedelta(days=n % 4),
            at=now() - timedelta(days=20 + n % 6),
        )
        for n in range(23)
    ]


@pytest.mark.parametrize("name", LEAD_SORTS)
def test_pages_hold_every_lead_once_in_order_forwards_and_back(many, name):
    sort, rows = LEAD_SORTS[name], as_rows(Lead.objects.all())
    pages, page = [], read_page(rows, sort, size=5)
    assert page.before is None
    while True:
        pages.append([lead.pk for lead in page.rows])
        if page.after is None:
            break
        page = read_page(rows, sort, after=page.after, size=5)
    everyone = [pk for found in pages for pk in found]
    assert sorted(everyone) == sorted(lead.pk for lead in many)
    way = "-place" if sort.is_descending else "place"
    in_order = Lead.objects.annotate(place=sort.expression).order_by(way, "pk")
    assert everyone == list(in_order.values_list("pk", flat=True))
    back = read_page(rows, sort, before=pages[-1][0], size=5)
    assert [lead.pk for lead in back.rows] == pages[-2]


def test_an_unknown_place_shows_the_first_page(many):
    first = read_page(as_rows(Lead.objects.all()), LEAD_SORTS["score"], size=5)
    lost = read_page(as_rows(Lead.objects.all()), LEAD_SORTS["score"], after=10**15, size=5)
    assert [lead.pk for lead in lost.rows] == [lead.pk for lead in first.rows]


def test_an_empty_list_has_no_neighbours(db):
    page = read_page(as_rows(Lead.objects.all()), LEAD_SORTS["name"])
    assert (page.rows, page.after, page.before) == ([], None, None)


def test_a_count_stops_where_it_no_longer_tells(many):
    exact = count_up_to(Lead.objects.all(), 23)
    assert (exact.number, exact.is_exact) == (23, True)
    capped = count_up_to(Lead.objects.all(), 10)
    assert (capped.number, capped.is_exact) == (10, False)


def test_an_export_reads_every_lead_once_in_batches(many):
    assert [lead.pk for lead in in_batches(Lead.objects.all(), size=7)] == sorted(
        lead.pk for lead in many
    )


def test_filters_offer_only_values_of_leads_that_one_may_see(sam, sue, mona, viv, mia):
    make_lead(owner=sam, source="expo", country="KR")
    make_lead(owner=sue, source="secret fair", country="DE")
    for field, sams, sues in (("source", "expo", "secret fair"), ("country", "KR", "DE")):
        assert known_values(field, mia) == sorted([sams, sues])
        assert known_values(field, sam) == known_values(field, mona) == [sams]
        assert known_values(field, sue) == [sues]
        assert known_values(field, viv) == []
