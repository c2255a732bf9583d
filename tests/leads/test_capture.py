"""A person becomes a lead once, and unverified input never takes anything over."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils.timezone import now

from leads.actors import Actor
from leads.capture import capture_lead, record_consent
from leads.models import Consent, Lead
from leads.refusals import Refused
from leads.signals import lead_captured

BROWSER = Actor.system("browser")


def capture(**fields) -> tuple[Lead, bool]:
    return capture_lead(by=BROWSER, **fields)


def test_the_same_address_is_the_same_lead_however_it_is_written(db):
    first, was_new = capture(email=" Kim@Acme.Example ")
    again, was_new_again = capture(email="kim@acme.example")
    assert (first.email, was_new, again.pk, was_new_again) == (
        "kim@acme.example",
        True,
        first.pk,
        False,
    )


def test_a_lead_begins_when_the_visitor_was_first_seen_and_never_in_the_future(db):
    monday = now() - timedelta(days=6)
    assert capture(email="a@acme.example", first_seen_at=monday)[0].stage_entered_at == monday
    late = capture(email="b@acme.example", first_seen_at=now() + timedelta(days=6))[0]
    assert late.stage_entered_at <= now()


@pytest.mark.parametrize("is_verified", [False, True])
@pytest.mark.parametrize(
    "before",
    [
        {"channel": "direct"},
        {"channel": "web_referral", "source": "heise"},
        {"source": "fair list"},
    ],
)
def test_an_origin_is_of_one_touch_or_left_alone(before, is_verified, db):
    capture(email="kim@acme.example", profile=before)
    touch = {"channel": "paid_social", "source": "linkedin", "medium": "cpc", "campaign": "c1"}
    lead, _new = capture(email="kim@acme.example", profile=touch, is_verified=is_verified)
    lead.refresh_from_db()
    empty = {"channel": "unknown", "source": "", "medium": "", "campaign": ""}
    assert {name: getattr(lead, name) for name in touch} == empty | before


def test_an_origin_that_is_unknown_is_taken_as_a_whole(db):
    capture(email="kim@acme.example")
    lead, _new = capture(
        email="kim@acme.example", profile={"channel": "paid_search", "source": "bing"}
    )
    lead.refresh_from_db()
    assert (lead.channel, lead.source, lead.medium) == ("paid_search", "bing", "")


def test_unverified_input_fills_gaps_but_overwrites_nothing(db):
    capture(email="kim@acme.example", profile={"first_name": "Kim", "channel": "event"})
    lead, _new = capture(
        email="kim@acme.example",
        profile={"first_name": "Mallory", "company": "Acme", "owner_id": 1, "stage": "customer"},
        custom={"shoe_size": 44},
    )
    lead.refresh_from_db()
    assert (lead.first_name, lead.company, lead.channel, lead.stage, lead.owner) == (
        "Kim",
        "Acme",
        "event",
        "lead",
        None,
    )
    assert lead.custom == {"shoe_size": 44}


def test_verified_input_corrects(db):
    capture(email="kim@acme.example", profile={"title": "Intern"})
    lead, _new = capture(
        email="kim@acme.example", profile={"title": "Head of IT"}, is_verified=True
    )
    assert lead.title == "Head of IT"


def test_no_address_no_match(db):
    assert capture(profile={"company": "Acme"})[0] != capture(profile={"company": "Acme"})[0]


@pytest.mark.parametrize("text", ["kim", "kim@", "@acme.example", "kim@acme .example", "a" * 400])
def test_what_is_no_address_is_refused_with_a_sentence(db, text):
    with pytest.raises(Refused, match="is not an e-mail address"):
        capture(email=text)
    assert not Lead.objects.exists()


def test_a_capture_that_fails_half_way_leaves_nothing(db):
    def explode(**kwargs):
        raise RuntimeError("receiver failed")

    lead_captured.connect(explode)
    try:
        with pytest.raises(RuntimeError):
            capture(email="kim@acme.example")
    finally:
        lead_captured.disconnect(explode)
    assert not Lead.objects.exists()


def test_consent_is_recorded_once_per_cause_and_the_newest_counts(db):
    lead, _new = capture(email="kim@acme.example")
    given = {"purpose": "mail", "evidence": "form"}
    assert record_consent(lead, is_granted=True, at=now(), cause="event:1", **given)
    assert not record_consent(lead, is_granted=True, at=now(), cause="event:1", **given)
    assert record_consent(lead, is_granted=False, at=now(), cause="event:2", **given)
    assert [c.is_granted for c in Consent.objects.all()] == [False, True]


@pytest.mark.django_db(transaction=True)
def test_concurrent_captures_of_one_address_make_one_lead():
    def once(number: int) -> int:
        try:
            return capture(email="kim@acme.example", custom={f"k{number}": number})[0].pk
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(once, range(16)))
    lead = Lead.objects.get()
    assert keys == {lead.pk}
    assert lead.episodes.count() == 1
    assert len(lead.custom) == 16
