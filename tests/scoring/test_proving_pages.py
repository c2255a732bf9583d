"""The pages to look at before signing: preview and back-test."""

from __future__ import annotations

import re

import pytest
from django.urls import reverse

from scoring import backtesting, drafting
from scoring.models import BackTest, ModelVersion
from tests.scoring.stories import SYSTEM
from tests.scoring.test_backtest import decided
from tests.scoring.test_preview import interested, score_all

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(db) -> ModelVersion:
    draft = drafting.clone_to_draft(ModelVersion.objects.active().pk, by=SYSTEM)
    draft.rules.filter(signal__key="pricing_page").update(points=40)
    return draft


def page(client, name: str, draft: ModelVersion, query: str = "") -> str:
    response = client.get(reverse(f"scoring:{name}", args=[draft.number]) + query)
    assert response.status_code == 200
    return response.content.decode()


def test_each_figure_of_the_preview_opens_as_many_leads(client, mia, sam, draft):
    interested(sam, channel="paid_search", source="google & co")
    interested()
    score_all()
    client.force_login(mia)
    html = page(client, "preview", draft)
    links = re.findall(r'href="([^"]*preview/leads/\?[^"]*)">(\d+)<', html)
    assert len(links) > 6
    for address, count in links:
        listed = client.get(address.replace("&amp;", "&")).content.decode()
        assert listed.count('class="lead-who"') == int(count), address


def test_the_active_version_has_no_preview(client, mona):
    client.force_login(mona)
    assert "This version is in force" in page(client, "preview", ModelVersion.objects.active())


def test_a_back_test_is_asked_for_watched_and_read(client, mona, draft):
    decided("won", "pricing_page_viewed 61d ago")
    decided("lost", "file_downloaded 61d ago")
    score_all()
    client.force_login(mona)
    assert "Not tested yet" in page(client, "backtest", draft)
    url = reverse("scoring:backtest", args=[draft.number])
    assert client.post(url).url == url
    assert BackTest.objects.get().requested_by == mona
    assert 'hx-trigger="every 2s"' in page(client, "backtest", draft)
    backtesting.drain()
    html = page(client, "backtest", draft, "?capacity=1")
    assert "every 2s" not in html and "too few leads" in html
    assert "Won among the best 1 a month" in html and "in force" in html
    assert "now 8" in html  # pricing page: 40 points by the draft


@pytest.mark.parametrize("query", ["?capacity=-1", "?capacity=x", "?capacity=999999"])
def test_odd_capacities_harm_nothing(client, mia, draft, query):
    decided("won")
    score_all()
    backtesting.request(draft.pk, by=SYSTEM)
    backtesting.drain()
    client.force_login(mia)
    assert "How well it ranks" in page(client, "backtest", draft, query)


def test_without_outcomes_the_page_says_what_to_do(client, mia, draft):
    backtesting.request(draft.pk, by=SYSTEM)
    backtesting.drain()
    client.force_login(mia)
    assert "No lead has an outcome yet" in page(client, "backtest", draft)


def test_one_that_stopped_says_so(client, ana, draft):
    backtesting.request(draft.pk, by=SYSTEM)
    BackTest.objects.update(attempts=9, error="It broke")
    client.force_login(ana)
    html = page(client, "backtest", draft)
    assert "It broke" in html and "Test again" in html


@pytest.mark.parametrize("query", ["?change=x&owner=%00&page=0", "?page=99999999999", "?owner=-1"])
def test_odd_addresses_of_lists_harm_nothing(client, mia, draft, query):
    client.force_login(mia)
    page(client, "preview_leads", draft, query)
