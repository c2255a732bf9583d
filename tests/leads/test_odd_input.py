"""What people and programs type by mistake is answered, never with a fault of ours."""

from __future__ import annotations

import pytest

from leads import lifecycle
from leads.actors import Actor
from leads.models import Lead
from leads.stages import Stage
from tests.factories import SYSTEM, LeadFactory


@pytest.fixture
def lead(sam) -> Lead:
    lead = LeadFactory(has_consent=True, owner=sam, team=sam.team)
    return lead


@pytest.mark.parametrize(
    "address",
    [
        "/leads/?entered_to=9999-12-31",
        "/leads/?reached=mql&entered_to=9999-12-31",
        "/leads/export.csv?created_to=9999-12-31",
        "/leads/{pk}/timeline/?before=2026-13-45T99:00:00Z",
        "/leads/{pk}/timeline/?before=%00",
        "/leads/?sort=name&after=99999999999999999999",
    ],
)
def test_odd_addresses_are_answered(client, mia, lead, address):
    client.force_login(mia)
    assert client.get(address.format(pk=lead.pk)).status_code == 200


def test_a_consent_of_the_far_future_is_refused_with_a_sentence(client, mia, lead):
    client.force_login(mia)
    said = {"purpose": "mail", "is_granted": "True", "given_on": "9999-12-31", "evidence": "call"}
    answer = client.post(f"/leads/{lead.pk}/consents/", said)
    assert answer.status_code == 422


def test_a_buying_role_that_does_not_exist_is_not_removed(client, mia, lead):
    client.force_login(mia)
    answer = client.post(f"/leads/{lead.pk}/buying-roles/removal/", {"kind": "\0"})
    assert answer.status_code in (200, 302, 303, 422)


def test_an_empty_form_says_what_is_missing(client, mia):
    client.force_login(mia)
    answer = client.post("/leads/new/", {})
    assert answer.status_code == 422 or answer.context["form"].errors


def test_a_page_cannot_begin_at_a_lead_of_somebody_else(client, sue, lead):
    own = LeadFactory(has_consent=True, owner=sue, team=sue.team, last_name="Aaa")
    client.force_login(sue)
    answer = client.get(f"/leads/?sort=name&after={lead.pk}")
    assert own.name in answer.content.decode()


def test_a_rep_says_no_to_an_mql_only_in_the_inbox(client, sam, mona, lead):
    lifecycle.record_imported_step(lead.pk, Stage.MQL, by=SYSTEM, at=lead.stage_entered_at)
    lead.refresh_from_db()
    client.force_login(sam)
    said = {"action": "recycle", "reason": "meh", "expected_seq": lead.episode_seq}
    answer = client.post(f"/leads/{lead.pk}/transitions/", said)
    assert answer.status_code == 422
    assert "Reject the hand-off in your inbox" in answer.content.decode()
    lead.refresh_from_db()
    assert lead.stage == Stage.MQL
    lifecycle.recycle(lead.pk, by=Actor.of(mona), reason="Merged two regions")
