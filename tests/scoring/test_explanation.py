"""The whole ledger can be reached, added up, asked of a past date, and taken away as a file."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils.timezone import localdate, now

from leads.actors import Actor
from leads.refusals import Refused
from scoring import drafting, explanations, publishing, rescore
from scoring.explanations import basis, ledger_page, panel
from scoring.instants import read_instant
from scoring.models import ModelVersion, Publication
from scoring.publishing import Plan
from scoring.score_chart import HEIGHT, draw
from scoring.score_history import DAYS, InForce, history, versions_of
from tests.scoring.stories import (
    SYSTEM,
    good_fit_lead,
    put_in_force,
    settle,
    sign,
    some_lead,
    standing_of,
    tell_events,
)

pytestmark = pytest.mark.django_db
PAGE, FILE = "scoring:explanation", "scoring:ledger_csv"


@pytest.fixture
def busy_lead(db):
    """So many events that no panel shows them all."""
    lead = good_fit_lead()
    stories = [f"page_viewed {n}h ago /jobs/{n}" for n in range(1, 140)]
    tell_events(lead, *stories, *[f"pricing_page_viewed {n}d ago /pricing" for n in range(60)])
    rescore.enqueue([lead.pk])
    settle()
    return lead


def text(response) -> str:
    return response.content.decode()


def test_the_pages_of_the_ledger_add_up_to_the_score(busy_lead):
    why = basis(busy_lead).explanation
    assert len(why.lines) > explanations.MOST_EVENTS
    first = ledger_page(why, 1)
    carried, entries = Decimal(0), []
    for number in range(1, first.count + 1):
        page = ledger_page(why, number)
        assert page.carried == carried
        carried += sum(entry.line.value for entry in page.entries)
        assert page.entries[-1].sum_so_far == carried
        entries += page.entries
    assert carried == why.score == standing_of(busy_lead).score
    assert [entry.number for entry in entries] == list(range(1, len(why.lines) + 1))
    assert ledger_page(why, 99).number == first.count and ledger_page(why, 0).number == 1


def test_long_ledgers_have_pages(client, mia, busy_lead, monkeypatch):
    monkeypatch.setattr(explanations, "PAGE_SIZE", 20)
    client.force_login(mia)
    url = reverse(PAGE, args=[busy_lead.pk])
    assert 'rel="next"' in text(client.get(url))
    second = text(client.get(url, {"page": "2"}))
    assert "Carried over from the page before" in second and 'rel="prev"' in second


def test_the_file_has_every_line_and_adds_up(client, mia, busy_lead):
    client.force_login(mia)
    response = client.get(reverse(FILE, args=[busy_lead.pk]))
    lines = list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"))))
    score = standing_of(busy_lead).score
    assert sum(Decimal(line["Value"]) for line in lines) == score
    assert Decimal(lines[-1]["Sum so far"]) == score
    assert (
        client.get(reverse(FILE, args=[busy_lead.pk]), {"as_of": "2999-01-01"}).status_code == 404
    )


def test_others_do_not_get_it(client, sue):
    client.force_login(sue)
    assert client.get(reverse(FILE, args=[good_fit_lead().pk])).status_code == 404


def test_a_past_day_by_a_form(client, mia, busy_lead):
    client.force_login(mia)
    url = reverse(PAGE, args=[busy_lead.pk])
    day = localdate() - timedelta(days=30)
    page = text(client.get(url, {"as_of": f"{day:%Y-%m-%d}"}))
    assert f'value="{day:%Y-%m-%d}"' in page and "What would lift" not in page
    why = basis(busy_lead, read_instant(f"{day:%Y-%m-%d}")).explanation
    assert f"<strong>{why.score:.2f}</strong>" in page


@pytest.mark.parametrize(
    "wrong", ["yesterday", "2020-99-99", "2999-01-01", "0001-01-01", "9" * 400, "2026-01-01T25:00"]
)
def test_what_is_no_day_is_said_and_today_is_shown(client, mia, busy_lead, wrong):
    client.force_login(mia)
    page = text(client.get(reverse(PAGE, args=[busy_lead.pk]), {"as_of": wrong}))
    assert 'role="alert"' in page and f"<strong>{standing_of(busy_lead).score:.2f}" in page
    with pytest.raises(Refused):
        read_instant(wrong)


def test_today_is_this_instant_and_an_instant_may_have_a_zone():
    assert now() - read_instant(f"{localdate():%Y-%m-%d}") < timedelta(seconds=5)
    assert read_instant("2026-01-31T14:30:00Z").isoformat() == "2026-01-31T14:30:00+00:00"
    assert read_instant(" ") is None


def test_a_change_of_the_version_breaks_the_line(busy_lead):
    known = basis(busy_lead)
    old = known.explanation.version
    young = ModelVersion.objects.get(pk=old.pk)
    young.pk, young.number = 10**6, old.number + 1
    since, later = (InForce(now() - timedelta(days=d), v) for d, v in ((300, old), (10, young)))
    days = history(known.facts, [since, since], known.explanation.as_of)
    assert not any(day.is_break for day in days)
    days = history(known.facts, [since, later], known.explanation.as_of)
    assert [day.version.number for day in days if day.is_break] == [young.number]
    chart = draw(days)
    assert len(chart.lines) == 2 and len(chart.breaks) == 1
    assert f"version {young.number} comes into force" in chart.breaks[0].text


def test_the_chart_marks_the_days_that_moved_the_score(busy_lead):
    known = basis(busy_lead)
    days = history(known.facts, known.versions, known.explanation.as_of)
    assert len(days) == DAYS + 1 and days[-1].point.score == known.explanation.score
    counted = [f for f in known.facts if f.since > days[0].point.at and f.event_id]
    assert sum(len(day.moves) for day in days[1:]) >= len(counted)
    chart = draw(days)
    marked = [day for day in days if day.moves]
    assert len(chart.marks) == len(marked) > 30
    ys = [float(y) for line in chart.lines for y in re.findall(r",([0-9.-]+)", line)]
    assert all(-0.1 <= y <= HEIGHT + 0.1 for y in ys)
    assert "Viewed the pricing page (+" in chart.marks[0].text


def test_the_panel_of_the_lead_page_leads_to_all_lines(client, mia, busy_lead):
    client.force_login(mia)
    url = reverse(PAGE, args=[busy_lead.pk])
    part = text(client.get(url, headers={"HX-Request": "true"}))
    assert "<html" not in part and "All lines, and the score at any past date" in part
    assert '#ledger"' in part and 'id="ledger"' not in part


def test_a_lead_that_lacks_little_says_what_would_do(client, mia):
    lead = good_fit_lead()
    tell_events(lead, "pricing_page_viewed 2d ago /pricing")
    rescore.enqueue([lead.pk])
    settle()
    client.force_login(mia)
    page = text(client.get(reverse(PAGE, args=[lead.pk])))
    assert "What would lift it over the threshold" in page and "Asked for a demo (+35)" in page
    assert panel(lead, basis(lead)).lifts and not panel(lead, basis(lead), is_past=True).lifts


def test_a_version_that_was_taken_back_stays_in_the_past(busy_lead, ana):
    first = ModelVersion.objects.active()
    draft = drafting.clone_to_draft(first.pk, by=SYSTEM)
    draft.rules.filter(signal__key="pricing_page").update(points=50)
    second = put_in_force(draft)
    score, between = basis(busy_lead).explanation.score, now()
    publishing.publish(first.pk, by=Actor.of(ana))
    while publishing.drain():
        pass
    then = basis(busy_lead, between)
    assert (then.explanation.version, then.explanation.score) == (second, score)
    assert basis(busy_lead).explanation.version == first
    numbers = [v.version.number for v in then.versions]
    assert numbers == [first.number, second.number, first.number]


def test_who_was_left_to_an_older_version_has_its_history(busy_lead, ana):
    first = ModelVersion.objects.active()
    draft = drafting.clone_to_draft(first.pk, by=SYSTEM)
    newer = sign(draft)
    publishing.publish(newer.pk, by=Actor.of(ana), plan=Plan(Publication.Scope.NEW))
    while publishing.drain():
        pass
    assert {v.version for v in versions_of(busy_lead.pk, first)} == {first}
    young = some_lead()
    assert versions_of(young.pk, newer)[-1].version == newer
