"""Whoever reads a public key in a web page moves nobody else's score, and owns nobody else's id."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leads.models import Consent, Lead
from leads.touch_models import LeadTouch
from tests.scoring.stories import settle, standing_of
from tests.tracking.test_attaching import known
from tracking.events import NOT_OF_BROWSERS
from tracking.models import Event, Verdict

SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
ADA = "ada@acme.example"


def owner(path: str) -> str:
    lead = Event.objects.get(path=path).lead
    return lead.email if lead else ""


def at(path: str) -> dict:
    return {"page": {"path": path}}


@pytest.mark.parametrize("kind", sorted(NOT_OF_BROWSERS))
def test_what_no_browser_can_witness_counts_only_from_a_server(tell, kind):
    name = kind.replace("_", " ").title()
    public, server = tell(name, who="v1"), tell(name, user="u1", trusted=True)
    assert (public.kind, server.kind) == (kind, kind)
    assert (public.verdict, public.verdict_signals) == (Verdict.MACHINE, ["hearsay"])
    assert (server.verdict, server.verdict_signals) == (Verdict.HUMAN, [])


def test_nobody_else_moves_the_score_of_somebody_verified(tell, attach):
    lead = known(ADA)
    tell("page", who="own", path="/pricing", ago=2 * HOUR)
    tell("Form Submitted", who="own", email=ADA, ago=2 * HOUR)
    attach()
    settle()
    before = standing_of(lead).score
    for kind in sorted(NOT_OF_BROWSERS):
        tell(kind.replace("_", " ").title(), who="own", ago=HOUR)
    attach()
    settle()
    assert standing_of(lead).score == before != 0
    # It is on the timeline all the same, as what it is.
    assert Event.objects.filter(lead=lead, kind="meeting_held").exists()


def test_public_clicks_make_no_trusted_click_a_machines(tell, attach):
    known(ADA)
    said = {"campaign_name": "News"}
    click = tell("Email Link Clicked", email=ADA, trusted=True, ago=HOUR,
                 link_url="https://us.example/1", **said)  # fmt: skip
    tell("Form Submitted", who="evil", email=ADA, ago=2 * HOUR)
    attach()
    public = [
        tell("Email Link Clicked", who="evil", ago=HOUR - n * SECOND,
             link_url=f"https://us.example/{n}", **said)
        for n in range(2, 6)
    ]  # fmt: skip
    tell("Email Delivered", who="evil", ago=HOUR - SECOND, **said)
    attach()
    click.refresh_from_db()
    assert (click.verdict, click.verdict_signals) == (Verdict.HUMAN, [])
    for event in public:
        event.refresh_from_db()
    assert {event.verdict for event in public} == {Verdict.MACHINE}


@pytest.mark.parametrize("is_one_batch", [True, False])
def test_a_guessed_id_does_not_bring_anybody_elses_user_id(tell, attach, is_one_batch):
    tell("Form Submitted", who="1000", email="evil@else.example", ago=4 * HOUR)
    if not is_one_batch:
        attach()
    tell("alias", user="kim", previous_id="1000", trusted=True, ago=3 * HOUR)
    tell("identify", user="kim", email="kim@right.example", trusted=True, ago=2 * HOUR)
    tell("Trial Started", user="kim", trusted=True, context=at("/trial"), ago=HOUR)
    attach()
    assert owner("/trial") == "kim@right.example"
    assert Lead.objects.filter(email="evil@else.example").exists()


@pytest.mark.parametrize("is_one_batch", [True, False])
def test_who_signs_up_after_a_form_is_one_person(tell, attach, is_one_batch):
    tell("page", who="v1", path="/before", ago=5 * HOUR)
    tell("Form Submitted", who="v1", email=ADA, ago=4 * HOUR)
    if not is_one_batch:
        attach()
    tell("alias", user="ada", previous_id="v1", trusted=True, ago=3 * HOUR)
    tell("identify", user="ada", email=ADA, trusted=True, ago=2 * HOUR)
    tell("Trial Started", user="ada", trusted=True, context=at("/trial"), ago=HOUR)
    attach()
    assert {owner("/before"), owner("/trial")} == {ADA}
    assert Lead.objects.count() == 1


def test_a_browser_that_a_server_named_gives_its_lead_another_id(tell, attach):
    tell("identify", who="v1", email=ADA, trusted=True, ago=4 * HOUR)
    attach()
    tell("alias", user="ada", previous_id="v1", trusted=True, ago=3 * HOUR)
    tell("Trial Started", user="ada", trusted=True, context=at("/trial"), ago=HOUR)
    attach()
    assert owner("/trial") == ADA


def test_the_evidence_of_a_consent_says_that_a_browser_told(tell, attach):
    tell("Form Submitted", who="v1", email=ADA, consent=True, url="https://us.example/form")
    tell("identify", user="ben", email="ben@acme.example", consent=True, trusted=True)
    attach()
    evidence = dict(Consent.objects.values_list("lead__email", "evidence"))
    assert evidence[ADA].endswith("(told by a browser)")
    assert "browser" not in evidence["ben@acme.example"]


def test_somebody_verified_was_not_there_before_anybody_knew_them(tell, attach):
    """Known from a mail provider alone, so without a first touch that could not be dated back."""
    tell("identify", user="u1", email=ADA, trusted=True, ago=HOUR)
    attach()
    long_ago = timedelta(days=300)
    tell("page", user="u1", who="evil", ago=long_ago,
         url="https://us.example/old?utm_source=evil&utm_medium=affiliate")  # fmt: skip
    tell("Form Submitted", who="evil", email=ADA, ago=long_ago, consent=True)
    attach()
    lead = Lead.objects.get()
    assert owner("/old") == "" and not LeadTouch.objects.exists()
    assert (lead.stage, lead.channel) == ("lead", "unknown")
    assert not Consent.objects.exists()


def test_a_browser_whose_news_come_after_the_servers_is_not_taken_for_a_liar(tell, attach):
    tell("identify", user="u1", email=ADA, trusted=True, ago=HOUR)
    attach()
    tell("page", user="u1", who="v1", path="/welcome", ago=HOUR + 9 * SECOND)
    attach()
    assert owner("/welcome") == ADA


def test_what_was_stored_before_somebody_was_named_comes_along(tell, attach):
    tell("page", user="u1", who="v1", path="/tour", ago=timedelta(days=9))
    attach()
    tell("identify", user="u1", email=ADA, trusted=True)
    attach()
    assert owner("/tour") == ADA
