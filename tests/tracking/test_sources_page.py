"""The Sources page: keys are given out and revoked, and every message is accounted for."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from leads.models import AuditEntry
from tracking import queries
from tracking.collector.keys import fingerprint
from tracking.models import QuarantinedMessage, Source, WriteKey
from tracking.storing import store
from tracking.touchpoints import BY_HAND, source_called


@pytest.fixture
def page(mia, client: Client) -> Client:
    client.force_login(mia)
    return client


def test_a_marketer_adds_a_source_and_gets_a_key_with_snippets(page):
    answer = page.post(reverse("tracking:sources"), {"name": "Shop", "kind": "web"}, follow=True)
    key = WriteKey.objects.get(source__name="Shop")
    text = answer.text
    assert not key.is_secret
    assert text.count(key.key) >= 3  # the key itself, curl, Python
    assert set(AuditEntry.objects.values_list("verb", flat=True)) == {"added", "issued"}

    again = page.post(reverse("tracking:sources"), {"name": "Shop", "kind": "web"})
    assert again.status_code == 422
    assert "There is a source called “Shop” already." in again.text


def test_a_secret_key_is_shown_once_and_kept_as_a_hash(page, crm):
    made = page.post(reverse("tracking:keys", args=[crm.pk]), {"is_secret": "on"})
    key = WriteKey.objects.get()
    shown = reverse("tracking:secret_key", args=[key.pk])
    assert (made.status_code, made.url, key.is_secret, key.key) == (302, shown, True, "")
    answer = page.get(shown)
    text = answer.context["key"]
    assert "no-store" in answer.headers["Cache-Control"]
    assert key.key_hash == fingerprint(text)
    assert text in answer.text
    again = page.get(shown, follow=True)  # loaded again: neither the key nor a new one
    assert text not in again.text
    assert "A secret key is shown once" in again.text
    assert WriteKey.objects.count() == 1
    later = page.get(reverse("tracking:sources")).text
    assert text not in later
    assert key.prefix in later


def test_a_secret_key_is_shown_to_who_made_it_only(page, crm, ana):
    page.post(reverse("tracking:keys", args=[crm.pk]), {"is_secret": "on"})
    shown = reverse("tracking:secret_key", args=[WriteKey.objects.get().pk])
    other = Client()
    other.force_login(ana)
    assert other.get(shown).status_code == 302
    assert page.get(shown).status_code == 200


def test_what_the_product_fills_itself_is_offered_no_keys(page, website):
    built_in = source_called(BY_HAND)
    text = page.get(reverse("tracking:sources")).text
    assert "it needs no key" in text
    assert f"?source={website.pk}" in text
    assert f"?source={built_in.pk}" not in text
    assert page.post(reverse("tracking:keys", args=[built_in.pk])).status_code == 404
    assert built_in not in page.get(reverse("tracking:install")).context["sources"]


def test_a_revoked_key_stays_visible_as_what_it_was(page, website):
    page.post(reverse("tracking:keys", args=[website.pk]))
    key = WriteKey.objects.get()
    for _ in range(2):
        page.post(reverse("tracking:revocation", args=[key.pk]))
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert AuditEntry.objects.filter(verb="revoked").count() == 1
    assert "revoked on" in page.get(reverse("tracking:sources")).text


def test_messages_are_accounted_for_to_the_unit(page, tell, website):
    for _ in range(2):
        tell("page", who="v1", path="/pricing", message_id="same")
    store([], {(website.pk, "bad_json"): 3, (website.pk, "no_identity"): 1})
    (mine,) = (line for line in queries.overview() if line.source == website)
    assert (mine.total.received, mine.total.accepted, mine.total.duplicate) == (6, 1, 1)
    assert mine.total.rejected == {"bad_json": 3, "no_identity": 1}
    assert mine.total.is_balanced
    assert list(mine.days.values()) == [mine.total]
    text = page.get(reverse("tracking:sources")).text
    assert "Viewed pricing page /pricing" in text
    assert "bad_json" in text


def test_what_senders_say_is_shown_as_text(page, tell):
    tell("page", who="v1", path="<script>alert(1)</script>")
    assert "<script>alert(1)" not in page.get(reverse("tracking:sources")).text


def test_an_empty_house_says_what_to_do(page):
    text = page.get(reverse("tracking:sources")).text
    assert "No source yet." in text
    assert "No event yet." in text


def test_admins_look_at_the_quarantine_and_replay_it(ana, client, tell):
    event = tell("page", who="v1")
    message = QuarantinedMessage.objects.create(
        source=event.source, step="attach", event_id=event.pk, reason="choked", attempts=5
    )
    client.force_login(ana)
    assert "1 message was quarantined" in client.get(reverse("tracking:sources")).text
    listing = reverse("admin:tracking_quarantinedmessage_changelist")
    assert "choked" in client.get(listing).text
    detail = client.get(reverse("admin:tracking_quarantinedmessage_change", args=[message.pk]))
    assert "choked" in detail.text
    answer = client.post(
        listing, {"action": "replay", "_selected_action": [message.pk]}, follow=True
    )
    assert "1 message replayed." in answer.text
    message.refresh_from_db()
    assert message.replayed_at is not None
    for model in ("source", "writekey"):
        listing = client.get(reverse(f"admin:tracking_{model}_changelist"))
        assert listing.status_code == 200


def test_sources_cannot_be_deleted(ana, client, website: Source):
    client.force_login(ana)
    answer = client.post(
        reverse("admin:tracking_source_delete", args=[website.pk]), {"post": "yes"}
    )
    assert answer.status_code == 403
