"""The page that says how to send, and whether anything arrives."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tracking.keys import issue_key, revoke_key
from tracking.models import InspectedMessage, Source
from tracking.snippet.serving import snippet
from tracking.staff_marks import staff_mark

pytestmark = pytest.mark.django_db
INSTALL = reverse("tracking:install")


@pytest.fixture
def marketer(mia) -> Client:
    client = Client()
    client.force_login(mia)
    return client


def note(source: Source, outcome: str, **fields) -> InspectedMessage:
    return InspectedMessage.objects.create(source=source, outcome=outcome, **fields)


def ask(client: Client, source: Source, since: object = "") -> str:
    return client.get(reverse("tracking:received", args=[source.pk]), {"since": since}).text


def test_without_a_source_it_says_what_to_do_first(marketer):
    assert "Add a source" in marketer.get(INSTALL).text


def test_the_snippet_names_this_address_and_the_key_of_the_chosen_source(marketer, website, crm):
    _row, key = issue_key(website, is_secret=False)
    page = marketer.get(INSTALL)
    tag = page.context["installation"].line.text
    assert tag == f'<script async src="http://testserver/t.js" data-key="{key}"></script>'
    assert f"data-key=&quot;{key}&quot;" in page.text
    assert snippet().pinned_path in page.text
    assert marketer.get(INSTALL, {"source": crm.pk}).context["source"] == crm
    for nonsense in ("", "x", "0", "²", str(10**30)):
        assert marketer.get(INSTALL, {"source": nonsense}).context["source"] == website


def test_a_revoked_or_secret_key_is_never_in_a_snippet(marketer, ana, website):
    from leads.actors import Actor

    row, key = issue_key(website, is_secret=False)
    _row, secret = issue_key(website, is_secret=True)
    revoke_key(row.pk, by=Actor.of(ana))
    page = marketer.get(INSTALL)
    assert "no public key in force" in page.text
    assert key not in page.text
    assert secret not in page.text


def test_what_came_before_is_no_news(marketer, website, tell):
    event = tell("page", who="v1", url="https://us.example/guide")
    first = note(website, "accepted", message_id=event.message_id)
    page = marketer.get(INSTALL).text
    assert "Waiting for the next event" in page
    assert f"since={first.pk}" in page
    assert "https://us.example/guide" in page

    later = tell("page", who="v1", url="https://us.example/prices")
    note(website, "accepted", message_id=later.message_id)
    answer = ask(marketer, website, first.pk)
    assert "It works" in answer
    assert "https://us.example/prices" in answer


def test_a_refusal_is_told_with_its_reason(marketer, website, crm):
    assert "Nothing was received yet" in ask(marketer, website, 0)
    note(crm, "accepted")
    note(website, "rejected", reason="no_identity")
    answer = ask(marketer, website, 0)
    assert "cannot be stored" in answer
    assert "e-mail address" in answer  # the sentence for no_identity
    note(website, "accepted")
    assert "It works" in ask(marketer, website, 0)


@pytest.mark.parametrize("since", ["", "x", "-1", "²", "9" * 40])
def test_any_number_is_answered(marketer, website, since):
    assert "Nothing was received yet" in ask(marketer, website, since)


def test_what_was_sent_is_shown_as_text(marketer, website, tell):
    event = tell("page", who="<script>x</script>", url="https://us.example/<img src=x>")
    note(website, "accepted", message_id=event.message_id)
    page = ask(marketer, website, 0)
    assert "<script>x" not in page
    assert "<img" not in page


def test_the_mark_of_colleagues_is_shown_to_admins_only(marketer, ana, website, crm):
    issue_key(website, is_secret=False)
    mark = staff_mark(website.pk)
    assert mark not in marketer.get(INSTALL).text
    marketer.force_login(ana)
    assert f"#funnel-staff={mark}" in marketer.get(INSTALL).text
    assert mark != staff_mark(crm.pk)
