"""Whoever writes down somebody known is told so, and not a word more than they may see."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from leads import editing
from leads.actors import Actor
from leads.known import AlreadyKnown
from leads.models import Lead
from tests.leads.people import make_lead


@pytest.fixture
def kim(sam) -> Lead:
    """Sam's, so of the northern team."""
    return make_lead(
        first_name="Kim", last_name="Lee", email="kim@acme.example", owner=sam, stage="sal"
    )


def enter(user, email: str = " KIM@acme.example"):
    client = Client()
    client.force_login(user)
    return client.post("/leads/new/", {"email": email, "channel": "unknown", "title": "Boss"})


def correct(user, lead: Lead, email: str = "Kim@Acme.example"):
    client = Client()
    client.force_login(user)
    form = {"email": email, "last_name": "Else", "channel": "unknown"}
    return client.post(f"/leads/{lead.pk}/edit/", form)


def refusal(answer) -> str:
    """The sentence above the form, with its link."""
    found = re.search(
        r'role="alert">(.*?)</div>\s*<div class="row">', answer.content.decode(), re.S
    )
    assert found and answer.status_code == 422
    return found.group(1)


def test_a_rep_of_another_team_learns_whom_to_ask(kim, sue, south):
    sue_s = make_lead(email="other@acme.example", owner=sue)
    sentence = "kim@acme.example is known already, but not to you. Ask an admin."
    for answer in (enter(sue), correct(sue, sue_s)):
        assert refusal(answer) == f"<div>Somebody with the e-mail address {sentence}</div>"
        assert "Kim Lee" not in answer.content.decode()
    assert Lead.objects.get(pk=sue_s.pk).email == "other@acme.example"
    assert Lead.objects.get(pk=kim.pk).title == ""


def test_it_is_always_the_own_manager(kim, mona, north, django_user_model):
    tom = django_user_model.objects.create_user(
        "tom@example.com", "x", first_name="Tom", role="rep", team=north
    )
    sentence = refusal(enter(tom))
    assert "known already, but not to you. Ask Mona." in sentence
    assert "Kim" not in sentence and "Sam" not in sentence


def test_a_manager_of_another_team_asks_an_admin(kim, south, django_user_model):
    max_ = django_user_model.objects.create_user(
        "max@example.com", "x", first_name="Max", role="manager", team=south
    )
    sentence = refusal(enter(max_))
    assert "Ask an admin." in sentence and "Kim" not in sentence and "<a" not in sentence


@pytest.mark.parametrize("who", ["sam", "mona", "mia", "ana"])
def test_who_may_see_the_lead_is_led_there(kim, who, request):
    sentence = refusal(enter(request.getfixturevalue(who)))
    assert "Kim Lee has the e-mail address kim@acme.example already." in sentence
    assert f'href="/leads/{kim.pk}/">Open Kim Lee</a>' in sentence


def test_an_address_that_is_kept_is_no_second_one(kim, sam):
    assert correct(sam, kim).status_code == 303


def test_a_race_is_told_in_the_same_words(kim, sue, monkeypatch):
    """Both colleagues saw a free address; PostgreSQL lets one of them have it."""
    lead = make_lead(email="other@acme.example", owner=sue)
    monkeypatch.setattr(editing, "refuse_known", lambda *args, **options: None)
    with pytest.raises(AlreadyKnown, match="not to you") as refused:
        editing.edit_lead(
            lead.pk, changes={"email": "kim@acme.example"}, custom={}, by=Actor.of(sue)
        )
    assert refused.value.lead is None
    with pytest.raises(AlreadyKnown, match="not to you"):
        editing.add_lead(
            by=Actor.of(sue), email="kim@acme.example", profile={}, custom={}, company=""
        )
