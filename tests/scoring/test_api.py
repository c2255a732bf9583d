"""The score for other programs: who may read it, that it adds up, refusals in sentences."""

from __future__ import annotations

import json
import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils.timezone import localdate, now

from leads.actors import Actor
from scoring import rescore
from scoring.models import ModelVersion
from tests.leads.merging import merge
from tests.scoring.stories import good_fit_lead, settle, some_lead, standing_of, tell_events
from tracking.keys import find_key, issue_key, restrict_key, revoke_key
from tracking.models import Source, WriteKey

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system("Test")


@pytest.fixture
def lead(db):
    lead = good_fit_lead()
    tell_events(lead, "pricing_page_viewed 3d ago /pricing", "page_viewed 50d ago /jobs/x")
    rescore.enqueue([lead.pk])
    settle()
    return lead


@pytest.fixture
def key(db) -> str:
    return new_key("scores")


def new_key(*scopes: str, is_secret: bool = True) -> str:
    source, _was_new = Source.objects.get_or_create(name="CRM")
    row, text = issue_key(source, is_secret=is_secret)
    if scopes:
        restrict_key(row.pk, scopes=scopes, by=SYSTEM)
    return text


def address(lead) -> str:
    return f"/api/v1/leads/{getattr(lead, 'public_id', lead)}/score"


def ask(lead, key: str = "", client: Client | None = None, **query):
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return (client or Client()).get(address(lead), query, headers=headers)


def refused(response) -> tuple[int, str]:
    said = response.json()
    assert set(said) == {"error"} and said["error"].endswith(".")
    return response.status_code, said["error"]


def test_the_lines_add_up_to_the_score_that_the_lists_show(lead, key):
    said = ask(lead, key).json()
    standing = standing_of(lead)
    assert (
        Decimal(said["score"]) == standing.score == sum(Decimal(n["value"]) for n in said["lines"])
    )
    assert Decimal(said["fit"]) + Decimal(said["interest"]) == standing.score
    assert (said["lead"], said["quadrant"]) == (str(lead.public_id), standing.quadrant)
    assert said["is_promising"] == standing.is_promising and said["blocked_by"] == []
    assert (said["model"]["number"], said["threshold"]) == (1, "60.00")
    by_rule = {line["rule"]: line for line in said["lines"]}
    assert by_rule["pricing_page"]["points"] == "8.00" and 0.8 < by_rule["pricing_page"]["left"] < 1
    assert {line["kind"] for line in said["lines"]} >= {"event", "field"}


def test_the_score_of_a_past_day(lead, key):
    day = localdate() - timedelta(days=20)
    said = ask(lead, key, as_of=f"{day:%Y-%m-%d}").json()
    assert {line["rule"] for line in said["lines"] if line["kind"] == "event"} == {
        "careers_page",
        "page_view",
    }
    assert said["as_of"] < now().isoformat()


@pytest.mark.parametrize(
    "wrong",
    ["yesterday", "2020-13-40", "2999-01-01", "0001-01-01", "9" * 300, "\x00", "2026-01-01T99:99Z"],
)
def test_what_is_no_instant_is_refused_with_a_sentence(lead, key, wrong):
    assert refused(ask(lead, key, as_of=wrong))[0] == 422


@pytest.mark.parametrize(
    "wrong", ["nobody", str(uuid.UUID(int=7)), "1", "%00", "x" * 3000, "..%2F..%2Fadmin"]
)
def test_who_does_not_exist_is_not_found(key, wrong):
    response = ask(wrong, key)
    assert response.status_code == 404
    if "%2F" not in wrong:
        assert refused(response)[0] == 404


def test_a_merged_lead_is_answered_with_the_one_it_became(lead, key, ana):
    other = some_lead()
    merge(lead, other, ana)
    settle()
    said = ask(other, key).json()
    assert said["lead"] == str(lead.public_id)
    assert said["score"] == ask(lead, key).json()["score"]


def test_a_lead_that_nothing_scores_has_no_score(lead, key):
    other = some_lead()
    ModelVersion.objects.filter(state="active").update(state="retired")
    assert "no scoring model" in refused(ask(other, key))[1]


class TestKeys:
    def test_without_any_or_with_a_wrong_one(self, lead):
        for wrong in ("", "sk_wrong", "x" * 10_000, "ключ".encode().decode("latin-1")):
            response = ask(lead, wrong)
            assert refused(response)[0] == 401 and response["WWW-Authenticate"] == "Bearer"
        other_scheme = Client().get(address(lead), headers={"Authorization": "Basic c2s6"})
        assert refused(other_scheme)[0] == 401

    def test_a_new_key_sends_and_reads_nothing(self, lead):
        assert refused(ask(lead, new_key()))[0] == 403
        assert refused(ask(lead, new_key("events", "history")))[0] == 403
        assert refused(ask(lead, new_key(is_secret=False)))[0] == 403
        assert ask(lead, new_key("events", "scores")).status_code == 200

    def test_a_revoked_key_reads_nothing_more(self, lead, key):
        assert ask(lead, key).status_code == 200
        revoke_key(find_key(key).pk, by=SYSTEM)
        assert refused(ask(lead, key))[0] == 401

    def test_a_key_of_a_closed_source_reads_nothing(self, lead, key):
        Source.objects.update(is_active=False)
        assert refused(ask(lead, key))[0] == 401

    def test_the_last_use_is_noted_once_a_minute(self, lead, key):
        ask(lead, key)
        first = WriteKey.objects.get().last_used_at
        assert now() - first < timedelta(minutes=1)
        ask(lead, key)
        assert WriteKey.objects.get().last_used_at == first
        WriteKey.objects.update(last_used_at=first - timedelta(minutes=2))
        ask(lead, key)
        assert WriteKey.objects.get().last_used_at > first


def test_people_see_whom_they_see_on_the_pages(lead, client, request):
    lead.owner = request.getfixturevalue("sam")
    lead.team = lead.owner.team
    lead.save()
    expected = {"mia": 200, "ana": 200, "sam": 200, "mona": 200, "sue": 404, "viv": 403}
    for name, status in expected.items():
        client.force_login(request.getfixturevalue(name))
        response = ask(lead, client=client)
        assert (name, response.status_code) == (name, status)
        assert "no-store" in response["Cache-Control"]
        if status != 200:
            refused(response)


def test_one_lead_is_asked_for_and_not_all(lead, key, django_assert_max_num_queries):
    ask(lead, key)
    with django_assert_max_num_queries(20) as asked:
        ask(lead, key)
    of_leads = [q["sql"] for q in asked.captured_queries if 'FROM "leads_lead"' in q["sql"]]
    assert of_leads and all("WHERE" in sql for sql in of_leads)


def test_nothing_but_reading(lead, key):
    headers = {"Authorization": f"Bearer {key}"}
    for method in ("post", "put", "patch", "delete"):
        assert getattr(Client(), method)(address(lead), headers=headers).status_code == 405


def test_it_describes_itself_and_answers_as_described(client, lead, key):
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    operation = document["paths"]["/api/v1/leads/{public_id}/score"]["get"]
    assert set(operation["responses"]) == {"200", "401", "403", "404", "422"}
    schemas = document["components"]["schemas"]
    said = ask(lead, key).json()
    assert set(said) == set(schemas["Score"]["properties"])
    assert set(said["lines"][0]) == set(schemas["ScoreLine"]["properties"])
    assert "http://" not in json.dumps(document) and "https://" not in json.dumps(document)


def test_the_document_tells_of_every_field():
    from pathlib import Path

    from scoring.api import Score, ScoreLine

    text = (Path(__file__).resolve().parent.parent.parent / "docs" / "api.md").read_text()
    names = {*Score.model_fields, *ScoreLine.model_fields}
    assert {name for name in names if f"`{name}`" not in text} == set()
