"""The pages on which people say who is one person, and who is two."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client
from django.utils.timezone import now

from leads import duplicates
from leads.models import Duplicate, Lead, Merge
from leads.stages import Stage
from tests.factories import LeadFactory, settle, tell_events
from tests.leads.merging import merge, refresh
from tracking.ingest import Envelope, prepare
from tracking.models import Source
from tracking.storing import store
from users.models import User


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def text(response) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode())))


@pytest.fixture
def ada(db) -> Lead:
    return LeadFactory(email="ada@acme.example", first_name="Ada", last_name="L.", phone="")


@pytest.fixture
def twin(db) -> Lead:
    return LeadFactory(
        email="ada+x@acme.example", first_name="Ada", last_name="Lovelace", phone="+49 30 1234567"
    )


def seen_on(response) -> str:
    return re.search(r'name="seen" value="(\w+)"', response.content.decode()).group(1)


def test_two_leads_are_compared_chosen_from_and_merged(ada, twin, mia):
    tell_events(twin, "page_viewed 1d ago /pricing")
    duplicates.search()
    page = client_of(mia).get(f"/leads/{ada.pk}/merge/?with={twin.pk}")
    told = text(page)
    assert "Events that move from Ada Lovelace to Ada L.: 1." in told
    assert "scores are not added up" in told
    assert "The same mailbox, spelled in another way." in told
    body = page.content.decode()
    assert re.search(r'name="keep.phone" value="loser" checked', body)
    assert "keep.first_name" not in body  # the same on both sides
    assert body.index("keep.last_name") < body.index("is-same")
    response = client_of(mia).post(
        f"/leads/{ada.pk}/merge/",
        {"with": twin.pk, "keep.last_name": "loser", "reason": "same", "seen": seen_on(page)},
        follow=True,
    )
    assert response.redirect_chain == [(f"/leads/{ada.pk}/", 303)]
    assert "Ada Lovelace and Ada Lovelace are one lead now." in text(response)
    assert "Merged into this lead" in text(response)
    refresh(ada, twin)
    assert (ada.last_name, ada.phone, twin.stage) == ("Lovelace", twin.phone, Stage.MERGED)


def test_who_was_slower_sees_the_leads_as_they_are_now(ada, twin, mia):
    seen = seen_on(client_of(mia).get(f"/leads/{ada.pk}/merge/?with={twin.pk}"))
    Lead.objects.filter(pk=twin.pk).update(title="CTO")
    data = {"with": twin.pk, "keep.last_name": "loser", "reason": "why", "seen": seen}
    response = client_of(mia).post(f"/leads/{ada.pk}/merge/", data)
    assert response.status_code == 409
    assert "Somebody was faster" in text(response) and "CTO" in text(response)
    assert re.search(r'name="keep.last_name" value="loser" checked', response.content.decode())
    assert ">why<" in response.content.decode()
    again = client_of(mia).post(f"/leads/{ada.pk}/merge/", data | {"seen": "", "reason": ""})
    assert again.status_code == 422 and "Say how you know" in text(again)


def test_what_stands_against_a_merge_is_said_before(ada, mia):
    ahead = LeadFactory(has_consent=True)
    page = client_of(mia).get(f"/leads/{ada.pk}/merge/?with={ahead.pk}")
    assert "is further in the funnel" in text(page)
    assert f"/leads/{ahead.pk}/merge/?with={ada.pk}" in page.content.decode()


def test_addresses_of_a_merged_lead_lead_to_the_survivor(ada, twin, mia, sam):
    merge(ada, twin, mia)
    for address in (f"/leads/{twin.pk}/", f"/leads/{twin.pk}/edit/"):
        response = client_of(mia).get(address, follow=True)
        assert response.redirect_chain == [(f"/leads/{ada.pk}/", 302)]
        assert "Ada Lovelace was merged into this lead." in text(response)
    response = client_of(mia).get(f"/leads/{twin.public_id}/", follow=True)
    assert response.redirect_chain[-1] == (f"/leads/{ada.pk}/", 302)
    assert client_of(mia).get(f"/leads/{ada.public_id}/").url == f"/leads/{ada.pk}/"
    assert client_of(sam).get(f"/leads/{twin.pk}/").status_code == 404
    Lead.objects.filter(pk=twin.pk).update(owner=sam)
    away = client_of(sam).get(f"/leads/{twin.pk}/", follow=True)
    assert "was merged into a lead of somebody else" in text(away)


def test_a_merged_lead_keeps_a_page_of_its_own_where_the_merge_is_taken_apart(ada, twin, mia):
    merge(ada, twin, mia, reason="same badge")
    survivor = client_of(mia).get(f"/leads/{ada.pk}/")
    assert f"/leads/{twin.pk}/merged/" in survivor.content.decode()
    page = client_of(mia).get(f"/leads/{twin.pk}/merged/")
    assert "same badge" in text(page) and "ada+x@acme.example" in text(page)
    refused = client_of(mia).post(f"/leads/{twin.pk}/unmerge/", {"reason": " "})
    assert refused.status_code == 422 and "Say how you know" in text(refused)
    response = client_of(mia).post(f"/leads/{twin.pk}/unmerge/", {"reason": "two"}, follow=True)
    assert response.redirect_chain == [(f"/leads/{twin.pk}/", 303)]
    assert "is a lead of its own again" in text(response)
    assert Merge.objects.get().undone_by == mia
    # Who was slower is told so.
    again = client_of(mia).post(f"/leads/{twin.pk}/unmerge/", {"reason": "two"}, follow=True)
    assert "is a lead of its own already" in text(again)


def test_a_list_leaves_merged_leads_out_unless_they_are_looked_for(ada, twin, mia):
    merge(ada, twin, mia)
    assert "ada+x@acme.example" not in text(client_of(mia).get("/leads/"))
    assert f"/leads/{twin.pk}/" in client_of(mia).get("/leads/?q=ada%2Bx").content.decode()
    assert f"/leads/{twin.pk}/" in client_of(mia).get("/leads/?stage=merged").content.decode()


def test_a_merge_partner_is_found_by_name(ada, twin, mia):
    duplicates.search()
    page = client_of(mia).get(f"/leads/{ada.pk}/merge/?q=lovelace")
    assert page.content.decode().count(f"?with={twin.pk}") == 2  # suggested, and found


def test_duplicates_are_listed_and_two_people_remembered(ada, twin, mia, mona):
    duplicates.search()
    page = client_of(mia).get("/leads/duplicates/")
    assert "The same mailbox, spelled in another way." in text(page)
    assert "same mailbox" not in text(client_of(mona).get("/leads/duplicates/"))
    data = {"first": twin.pk, "second": ada.pk}
    assert client_of(mona).post("/leads/duplicates/dismissal/", data).status_code == 404
    response = client_of(mia).post("/leads/duplicates/dismissal/", data, follow=True)
    assert "are two people" in text(response)
    duplicates.search()
    assert "same mailbox" not in text(client_of(mia).get("/leads/duplicates/"))
    assert Duplicate.objects.get().dismissed_by == mia


def test_a_browser_that_two_people_share_is_shown_and_never_merged(mia):
    source = Source.objects.create(name="Website")
    for email in ("ada@acme.example", "ben@acme.example"):
        form = {"type": "track", "event": "Form Submitted", "anonymousId": "v1"}
        message = form | {"properties": {"email": email}}
        store([prepare(message, Envelope(source.pk, is_trusted=False, received_at=now()))])
        settle()
    page = client_of(mia).get("/leads/duplicates/")
    assert "Two people seem to share a browser." in text(page)
    assert Lead.objects.count() == 2 and not Merge.objects.exists()
    ada, ben = Lead.objects.order_by("email")
    data = {"first": ada.pk, "second": ben.pk}
    page = client_of(mia).post("/leads/duplicates/dismissal/", data, follow=True)
    assert "Two people seem to share a browser." not in text(page)
