"""First and last touch; offline touchpoints by hand, by file and by the API."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils.timezone import localtime, now

from leads import importing
from leads.models import Lead, LeadTouch
from leads.stages import Stage
from scoring import rescore
from tests.factories import LeadFactory
from tests.import_steps import check, run, upload
from tracking import attaching, channel_rules, visiting
from tracking.models import Event, IngestCount, Source
from tracking.touchpoints import what_is_wrong

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def rules_as_migrated():
    channel_rules.forget()


@pytest.fixture
def lead() -> Lead:
    return LeadFactory(email="kim@globex.example", has_consent=True)


@pytest.fixture
def page(mia, client: Client) -> Client:
    client.force_login(mia)
    return client


def settle() -> None:
    for drain in (attaching.drain, visiting.drain, rescore.drain):
        while drain():
            pass


def said(**more) -> dict:
    form = {
        "kind": "call_held",
        "at": localtime(now() - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M"),
        "title": "Budget",
        "place": "",
        "note": "wants a demo",
        "key": str(uuid.uuid4()),
        **more,
    }
    return {f"touchpoint-{name}": value for name, value in form.items()}


def test_a_touchpoint_noted_by_hand_is_an_event_that_counts(lead, page):
    address, form = f"/sources/leads/{lead.pk}/touchpoints/", said()
    for _twice in range(2):
        assert page.post(address, form).status_code == 303
    settle()
    event = Event.objects.get()
    assert (event.kind, event.lead_id, event.is_trusted) == ("call_held", lead.pk, True)
    assert event.properties["noted_by"] == "Mia"
    touch = LeadTouch.objects.get(lead=lead)
    assert (touch.first_channel, touch.last_channel) == ("offline", "offline")
    lead.refresh_from_db()
    assert lead.standing.interest > 0
    assert "Had a call (Budget)" in page.get(f"/leads/{lead.pk}/timeline/").text
    counts = dict(IngestCount.objects.values_list("outcome", "count"))
    assert (counts["received"], counts["accepted"], counts["duplicate"]) == (2, 1, 1)


@pytest.mark.parametrize("wrong", [{"kind": "moon"}, {"at": "2999-01-01T00:00"}, {"at": "x"},
                                   {"at": "1900-01-01T00:00"}, {"key": "x"}])  # fmt: skip
def test_what_cannot_be_noted_is_refused_with_a_sentence(lead, page, wrong):
    answer = page.post(f"/sources/leads/{lead.pk}/touchpoints/", said(**wrong))
    assert answer.status_code == 422
    assert not Event.objects.exists()


def test_only_who_sees_the_lead_notes_something(lead, sue, client: Client):
    client.force_login(sue)
    assert client.post(f"/sources/leads/{lead.pk}/touchpoints/", said()).status_code == 404


def test_first_and_last_touch_stand_on_the_lead_and_in_lists(tell, page):
    url = "https://us.example/start?utm_source=news&utm_medium=email&utm_campaign=spring"
    tell("page", who="v1", url=url, path="/start", ago=timedelta(days=9))
    tell("page", who="v1", url="https://us.example/docs", path="/docs",
         referrer="https://www.google.com/", ago=timedelta(days=5))  # fmt: skip
    tell("page", who="v1", url="https://us.example/", path="/", ago=timedelta(days=1))
    tell("Form Submitted", who="v1", email="kim@globex.example")
    settle()
    lead = Lead.objects.get()
    touch = lead.touch
    assert (touch.first_channel, touch.first_campaign) == ("email", "spring")
    assert touch.first_landing_path == "/start"
    assert (touch.last_channel, touch.last_source) == ("organic_search", "google")
    assert now() - timedelta(days=6) < touch.last_at < now() - timedelta(days=4)
    text = page.get(f"/sources/leads/{lead.pk}/touchpoints/").text
    assert "Organic search" in text and "/start" in text
    assert lead.name in page.get("/leads/?last_channel=organic_search").text
    assert lead.name not in page.get("/leads/?last_channel=display").text
    assert "→ Organic search" in page.get("/leads/").text


def test_a_direct_visit_is_the_last_touch_only_if_there_is_no_other(tell):
    tell("page", who="v1", url="https://us.example/a", ago=timedelta(days=2))
    tell("Form Submitted", who="v1", email="kim@globex.example")
    settle()
    assert LeadTouch.objects.get().last_channel == "direct"


FILE = """key,email,touchpoint,date,title,note
r1,kim@globex.example,Trade show,2026-03-02 10:00,Hannover Messe,stand 4
r2,KIM@globex.example,call,2026-04-02,,
r3,nobody@globex.example,call,2026-04-02,,
r4,kim@globex.example,dance,2026-04-02,,
r5,kim@globex.example,review,2150-04-02,,
r6,,call,2026-04-02,,
r7,kim@globex.example,call,some day,,
r1,kim@globex.example,Trade show,2026-03-02 10:00,Hannover Messe,stand 4
"""


def test_a_file_of_touchpoints_comes_in_once(lead, mia):
    job = upload(FILE, mia, "touchpoints.csv")
    assert (job.target, job.preset) == ("touchpoints", "touchpoints")
    tally = check(job)
    assert (tally["created"], tally["unchanged"], tally["failed"]) == (2, 1, 5)
    assert not Event.objects.exists() and not Source.objects.filter(name="Import").exists()
    tally = run(job)
    assert set(tally["notes"]) >= {"unknown_lead", "unknown_touchpoint", "not_yet", "no_key"}
    settle()
    kinds = sorted(Event.objects.values_list("kind", "lead_id"))
    assert kinds == [("call_held", lead.pk), ("event_attended", lead.pk)]
    touch = LeadTouch.objects.get()
    assert (touch.first_channel, touch.first_campaign) == ("event", "Hannover Messe")
    again = run(upload(FILE, mia, "touchpoints-again.csv"))
    assert (again.get("created", 0), again["unchanged"]) == (0, 3)
    assert Event.objects.count() == 2


def test_rows_without_a_key_are_known_by_what_they_say(lead, mia):
    file = "email,touchpoint,date\nkim@globex.example,social,2026-05-01\n"
    for _twice in range(2):
        run(upload(file, mia, "social.csv"))
    assert Event.objects.get().kind == "social_contact"


def test_touchpoints_come_by_the_api_like_every_event(lead, tell):
    tell("Referral Made", trusted=True, email=lead.email, ago=timedelta(days=1))
    settle()
    assert LeadTouch.objects.get().last_channel == "customer_referral"


def test_a_merged_lead_is_told_so():
    sentence = what_is_wrong(Lead(stage=Stage.MERGED), "call_held", now() - timedelta(hours=1))
    assert "merged" in sentence


def test_of_an_hour_that_exists_twice_the_first_is_noted(lead, page):
    form = said(at="2025-10-26T02:30")
    response = page.post(f"/sources/leads/{lead.pk}/touchpoints/", form, follow=True)
    assert "showed this time twice" in response.content.decode()
    assert Event.objects.get().occurred_at == datetime(2025, 10, 26, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize("at", ["2026-03-29T02:30", "yesterday", ""])
def test_an_hour_that_never_was_is_refused(at, lead, page):
    response = page.post(f"/sources/leads/{lead.pk}/touchpoints/", said(at=at))
    assert response.status_code == 422
    assert not Event.objects.exists()


def test_a_form_that_was_sent_for_another_lead_notes_nothing_and_says_so(lead, page):
    form, other = said(), LeadFactory(email="bo@globex.example")
    assert page.post(f"/sources/leads/{lead.pk}/touchpoints/", form).status_code == 303
    response = page.post(f"/sources/leads/{other.pk}/touchpoints/", form)
    assert response.status_code == 422
    assert "sent for another lead" in response.content.decode()
    assert page.post(f"/sources/leads/{lead.pk}/touchpoints/", form).status_code == 303
    assert Event.objects.get().lead == lead


@pytest.mark.parametrize(
    "header",
    ["E-mail;What;When;Title;Site;Note", "이메일;무엇;언제;제목;사이트;메모"],
)
def test_headers_of_a_plain_list_are_understood(lead, mia, header):
    job = upload(f"{header}\n{lead.email};call;2026-05-01;Renewal;;stand 4\n", mia, "calls.csv")
    job = importing.start_over(job.pk, target_key="touchpoints")
    assert importing.what_is_missing(job) == []
    run(job)
    event = Event.objects.get()
    assert (event.kind, event.lead_id) == ("call_held", lead.pk)
    assert (event.properties["title"], event.properties["note"]) == ("Renewal", "stand 4")
