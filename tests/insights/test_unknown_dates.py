"""The funnel page says what it leaves out for want of a date, and lists it."""

from __future__ import annotations

import csv

import pytest
from django.db import transaction
from django.urls import reverse

from insights import drilldown
from insights.drilldown import Wanted
from insights.models import Stay
from insights.traffic import folding as traffic_folding
from insights.traffic_models import GoalCell
from tests.insights.conftest import filters, freshness
from tests.insights.histories import fold, tell

PAGE = reverse("insights:funnel")
LEADS = reverse("insights:leads")


@pytest.fixture
def imported(mia, client):
    """Two stays began nobody knows when; of the first only the end is unknown."""
    tell("lead 2026-05-01", "qualified ~2026-05-01", "mql ~2026-05-01")
    fold()
    client.force_login(mia)


def test_the_page_says_how_many_stays_it_leaves_out(client, imported):
    page = client.get(PAGE, {"from": "2026-04-01", "to": "2026-06-30"}).text
    assert "stays without a known date are not in these figures" in page
    assert "figure=undated" in page and "figure=untold&amp;stage=lead" in page


def test_all_time_says_that_they_count_as_reached(client, imported):
    page = client.get(PAGE, {"period": "all"}).text
    assert "stays without a known date are counted as reached, but in no rate" in page


def test_nothing_is_said_where_all_dates_are_known(client, mia):
    tell("lead 2026-05-01", "qualified 2026-05-02")
    fold()
    client.force_login(mia)
    assert "without a known date" not in client.get(PAGE).text.split("define-")[0]


def test_the_list_and_its_file_show_no_bound(client, imported):
    page = client.get(LEADS, {"figure": "undated"}).text
    assert 'data-count="2"' in page and page.count("date unknown") >= 2 and "5/1/" not in page
    lines = client.get(reverse("insights:leads_csv"), {"figure": "undated"})
    text = b"".join(lines.streaming_content).decode("utf-8-sig")
    assert [row["Entered"] for row in csv.DictReader(text.splitlines())] == ["", ""]


def test_a_stay_whose_end_is_unknown_shows_where_it_went_but_not_when(client, imported):
    page = client.get(LEADS, {"figure": "untold", "stage": "lead", "period": "all"}).text
    assert 'data-count="1"' in page and "date unknown" in page and "still there" not in page


def test_undated_stays_are_listed_as_the_oldest_page_by_page(mia):
    for day in ("~2026-11-01", "2026-05-01", "~2026-10-01", "2026-06-01"):
        tell(f"lead {day}")
    fold()
    chosen = filters(period="all")
    stays = drilldown.stays_behind(mia, Wanted("reached", "lead", ""), chosen, freshness())
    for order, unknown in (
        ("newest", [False, False, True, True]),
        ("oldest", [True, True, False, False]),
    ):
        seen, after = [], ""
        for _ in range(4):
            page = drilldown.read_page(stays, order, after, size=1)
            seen += page.stays
            after = page.after
        assert not after and [stay.began_at is None for stay in seen] == unknown
        assert len({stay.pk for stay in seen}) == 4


def test_traffic_counts_no_goal_on_the_day_of_a_bound(imported):
    with transaction.atomic():
        traffic_folding.rebuild()
    assert Stay.objects.filter(stage="mql", entered_on=None).exists()
    assert not GoalCell.objects.exists()
