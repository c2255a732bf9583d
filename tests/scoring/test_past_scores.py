"""A past score says what held then, and nothing where nobody knew the lead."""

from __future__ import annotations

import csv
import io
import re
from datetime import datetime, timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.urls import reverse
from django.utils.timezone import localdate, now

from leads import lifecycle
from leads.capture import capture_lead
from leads.lead_queries import known_since, stage_at
from leads.models import Lead
from scoring import rescore
from scoring.explanations import NotKnownThen, basis, panel
from scoring.models import ModelVersion, Prediction, Training
from scoring.score_chart import draw
from tests.leads.merging import merge
from tests.scoring.stories import (
    SYSTEM,
    good_fit_lead,
    publish,
    settle,
    some_lead,
    standing_of,
    tell_events,
)
from tracking.keys import issue_key, restrict_key
from tracking.models import Source

pytestmark = pytest.mark.django_db
PAGE, FILE = "scoring:explanation", "scoring:ledger_csv"


@pytest.fixture
def mql(db) -> Lead:
    """With sales since now; known for 400 days, Qualified for 300."""
    lead = good_fit_lead()
    tell_events(lead, "demo_requested 0d ago")
    rescore.enqueue([lead.pk])
    settle()
    lead.refresh_from_db()
    assert lead.stage == "mql"
    return lead


def newcomer(days: float, *stories: str) -> Lead:
    """Somebody who has been known for so many days."""
    lead, _was_new = capture_lead(
        by=SYSTEM,
        email=f"newcomer{days}@acme.example",
        profile={"title": "CEO"},
        first_seen_at=now() - timedelta(days=days),
    )
    tell_events(lead, *stories)
    rescore.enqueue([lead.pk])
    settle()
    return lead


def day(days: float) -> str:
    return f"{localdate() - timedelta(days=days):%Y-%m-%d}"


@pytest.fixture
def read(client, mia):
    """The page of a lead's score, as text."""
    client.force_login(mia)

    def page(lead: Lead, **query: str) -> str:
        return client.get(reverse(PAGE, args=[lead.pk]), query).content.decode()

    return page


@pytest.fixture
def ask(client):
    source = Source.objects.create(name="CRM")
    row, key = issue_key(source, is_secret=True)
    restrict_key(row.pk, scopes=["scores"], by=SYSTEM)

    def answer(lead: Lead, status: int = 200, **query: str) -> dict:
        address = reverse("api:lead_score", args=[lead.public_id])
        response = client.get(address, query, headers={"Authorization": f"Bearer {key}"})
        assert response.status_code == status
        return response.json()

    return answer


class TestPresentTense:
    def test_who_was_not_with_sales_then_has_not_cooled(self, read, mql):
        page = read(mql, as_of=day(100))
        assert "with sales all the same" not in page and 'role="note"' not in page

    def test_who_was_with_sales_then_had_cooled(self, read, mql):
        publish(demo=1)
        instant = now()
        publish(demo=60)  # today it has not cooled
        assert 'role="note"' not in read(mql)
        page = read(mql, as_of=instant.isoformat())
        assert "The score had fallen to" in page and "stayed with sales" in page
        # Today's rules did not judge anybody then.
        by_today = read(mql, as_of=instant.isoformat(), rules="today")
        assert 'role="note"' not in by_today

    def test_today_is_not_past(self, read, ask):
        lead = newcomer(10)
        page = read(lead, as_of=day(0))
        assert "points are missing" in page and "points were missing" not in page
        assert f"<strong>{standing_of(lead).score:.2f}</strong>" in page

    def test_the_stage_then(self, mql):
        assert stage_at(mql, now()) == "mql"
        assert stage_at(mql, now() - timedelta(days=200)) == "qualified"
        assert stage_at(mql, now() - timedelta(days=350)) == "lead"
        assert stage_at(mql, now() - timedelta(days=500)) is None

    def test_a_stage_whose_date_nobody_knows_is_no_stage_then(self):
        lead = some_lead()
        at = now() - timedelta(days=200)
        lifecycle.record_imported_step(lead.pk, "qualified", by=SYSTEM, at=at, is_date_known=False)
        assert stage_at(lead, now()) is None

    def test_a_prediction_is_of_today(self, read, mql):
        training = Training.objects.create(
            source="leads", outcome="sal", state="finished", verdict="on", finished_at=now()
        )
        Prediction.objects.create(lead=mql, training=training, probability=0.4, predicted_at=now())
        assert "likely to reach" in read(mql)
        assert "likely to reach" not in read(mql, as_of=day(100))

    def test_what_is_missing_was_missing(self, read, mql):
        page = read(mql, as_of=day(100))
        assert "points were missing" in page and "points are missing" not in page
        assert "over the last 90 days" not in page and "over the last 90 days" in read(mql)

    def test_an_empty_ledger_tells_of_then(self, read):
        lead = some_lead()
        first = known_since(lead).isoformat()  # not folded yet: no field is known to hold
        page = read(lead, as_of=first)
        assert "Nothing had counted by then." in page and "Lines appear when" not in page
        assert "Nothing counted yet." in read(lead)


class TestBeforeTheLeadWasKnown:
    def test_the_beginning(self, ana):
        lead = newcomer(10)
        first = lead.episodes.get(seq=1).entered_at
        assert known_since(lead) == first < lead.created_at
        older = some_lead()  # known for 400 days
        merge(lead, older, ana)
        assert known_since(lead) == older.episodes.get(seq=1).entered_at

    def test_the_page_says_so_and_invents_nothing(self, read):
        lead = newcomer(10, "pricing_page_viewed 30d ago /pricing")
        page = read(lead, as_of=day(20))
        assert "was not known yet" in page
        for invented in ("0.00", "points", "Neither", "<polyline", "The ledger", "JSON"):
            assert invented not in page.split('id="by-rules"')[1]
        first = known_since(lead).isoformat()
        assert f"?as_of={first.replace(':', '%3A').replace('+', '%2B')}" in page
        assert f'href="{reverse(PAGE, args=[lead.pk])}"' in page
        assert "was not known yet" not in read(lead, as_of=first)

    def test_the_panel_alone_says_so_too(self, client, mia):
        client.force_login(mia)
        url = reverse(PAGE, args=[newcomer(10).pk])
        part = client.get(url, {"as_of": day(20)}, headers={"HX-Request": "true"}).content.decode()
        assert "<html" not in part and "was not known yet" in part

    def test_the_books_say_so(self):
        lead = newcomer(10)
        with pytest.raises(NotKnownThen) as caught:
            basis(lead, now() - timedelta(days=11))
        assert caught.value.known_since == known_since(lead)
        assert basis(lead, known_since(lead))

    def test_the_answer_for_programs(self, ask, client):
        lead = newcomer(10, "pricing_page_viewed 30d ago /pricing")
        said = ask(lead, as_of="2020-01-01")
        unknown = ("score", "fit", "interest", "quadrant", "model", "threshold", "fit_cut")
        unknown += ("interest_cut", "is_promising", "in_force_then")
        assert [said[name] for name in unknown] == [None] * len(unknown)
        assert (said["lines"], said["blocked_by"]) == ([], [])
        assert said["reason"] == "not_known_then" and said["lead"] == str(lead.public_id)
        since = datetime.fromisoformat(said["known_since"]) - known_since(lead)
        assert timedelta() <= since < timedelta(milliseconds=1)
        assert ask(lead, as_of=said["known_since"])["score"]
        assert said["as_of"].startswith("2020-01-0")
        today = ask(lead)
        assert set(today) == set(said) and today["reason"] is None
        assert today["known_since"] == said["known_since"]
        schema = client.get("/api/v1/openapi.json").json()["components"]["schemas"]["Score"]
        assert set(said) == set(schema["properties"]) == set(schema["required"])
        assert {"type": "null"} in schema["properties"]["score"]["anyOf"]

    def test_the_file(self, client, mia):
        lead = newcomer(10)
        client.force_login(mia)
        lines = lines_of(client.get(reverse(FILE, args=[lead.pk]), {"as_of": day(20)}))
        assert len(lines) == 1 and "was not known yet" in lines[0]["What counts"]
        assert not any(lines[0][name] for name in ("Value", "Sum so far", "Version"))

    def test_the_chart_begins_with_the_lead(self, read):
        lead = newcomer(10.5, "pricing_page_viewed 30d ago /pricing")
        books = basis(lead)
        days = panel(lead, books).days
        assert len(days) == 11 and days[0].point.at >= known_since(lead)
        assert len(draw(days).lines[0].split()) == 11
        page = read(lead)
        assert "over the last 90 days" not in page
        assert page.count("<td>") >= 11
        assert panel(newcomer(0.1), basis(Lead.objects.latest("pk"))).chart is None


class TestBeforeTheFirstVersion:
    """Version 1 came into force when the tables were made, whenever that was."""

    @pytest.fixture
    def published_at(self, db) -> datetime:
        return ModelVersion.objects.active().published_at

    @pytest.fixture
    def elder(self, published_at) -> Lead:
        """Known for ten days when version 1 was published."""
        return newcomer((now() - published_at) / timedelta(days=1) + 10)

    def test_it_says_by_what_it_is_reckoned(self, read, ask, client, mia, elder, published_at):
        then = {"as_of": (published_at - timedelta(days=5)).isoformat()}
        page = read(elder, **then)
        assert "Reckoned back by version 1, the oldest one, which was not in force yet." in page
        assert "Reckoned back" not in read(elder)
        said = ask(elder, **then)
        assert said["in_force_then"] is False and said["model"]["number"] == 1
        assert Decimal(said["score"]) == sum(Decimal(line["value"]) for line in said["lines"])
        assert ask(elder)["in_force_then"] is True
        client.force_login(mia)
        lines = lines_of(client.get(reverse(FILE, args=[elder.pk]), then))
        assert {(ln["Version"], ln["In force then"]) for ln in lines} == {("1", "no")}
        today = lines_of(client.get(reverse(FILE, args=[elder.pk])))
        assert {(ln["Version"], ln["In force then"]) for ln in today} == {("1", "yes")}

    def test_the_chart_says_when_it_came_into_force(self, read, elder, published_at):
        instant = min(now(), published_at + timedelta(hours=12))
        chart = panel(elder, basis(elder, instant)).chart
        assert len(chart.breaks) == 1
        assert "version 1 comes into force" in chart.breaks[0].text
        assert len(chart.lines) == 1  # the same rules: what they say can be compared
        page = read(elder, as_of=instant.isoformat())
        assert "Days before version 1 came into force are reckoned back by it." in page

    def test_a_version_in_force_then_is_not_reckoned_back(self, read, ask, mql):
        between = now()
        publish(demo=36)
        page = read(mql, as_of=between.isoformat())
        assert "by version 1 of" in page and "not in force" not in page
        assert ask(mql, as_of=between.isoformat())["in_force_then"] is True


def lines_of(response) -> list[dict[str, str]]:
    assert response.status_code == 200
    return list(csv.DictReader(io.StringIO(response.getvalue().decode("utf-8-sig"))))


class TestByWhoseRules:
    def test_page_file_and_answer_agree(self, read, ask, client, mia, mql):
        between = now()
        publish(demo=20)
        told = {}
        for words in ({}, {"rules": "then"}, {"rules": "today"}):
            query = {"as_of": between.isoformat(), **words}
            page = read(mql, **query)
            score = Decimal(re.search(r"<strong>([0-9.]+)</strong>", page)[1])
            as_file, as_json = (
                unescape(re.search(rf'href="([^"]*{part}[^"]*)"', page)[1])
                for part in ("ledger.csv", "/api/v1/leads")
            )
            client.force_login(mia)
            said = client.get(as_json).json()
            lines = lines_of(client.get(as_file))
            assert Decimal(said["score"]) == score == Decimal(lines[-1]["Sum so far"])
            assert said == ask(mql, **query)
            numbers = {line["Version"] for line in lines} | {str(said["model"]["number"])}
            told[words.get("rules", "")] = (score, numbers)
        assert told[""] == told["then"] and told[""][1] == {"1"}
        assert told["today"][1] == {"2"} and told["today"][0] == told[""][0] - 15

    def test_by_the_rules_of_today_says_that_they_were_not_in_force(self, read, ask, mql):
        between = now()
        publish(demo=20)
        query = {"as_of": between.isoformat(), "rules": "today"}
        assert "By the rules of today, which were not in force then." in read(mql, **query)
        assert ask(mql, **query)["in_force_then"] is False

    @pytest.mark.parametrize("wrong", ["tomorrow", "TODAY ", "\x00", "9" * 400])
    def test_other_words_are_refused_with_a_sentence(self, client, read, ask, mql, wrong):
        said = ask(mql, 422, rules=wrong)
        assert set(said) == {"error"} and "today" in said["error"]
        page = read(mql, rules=wrong)
        assert 'role="alert"' in page and f"<strong>{standing_of(mql).score:.2f}" in page
        assert client.get(reverse(FILE, args=[mql.pk]), {"rules": wrong}).status_code == 404
