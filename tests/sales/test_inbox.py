"""The inbox in a browser without JavaScript, and what its fragments say."""

from __future__ import annotations

import pytest
from django.urls import reverse

from leads import lifecycle
from leads.actors import Actor
from leads.models import Lead, Standing
from sales import handoff as handoffs
from sales.models import Handoff
from sales.queries import waiting_count
from tests.conftest import person
from tests.sales.conftest import become_mql, handoff_of

INBOX = "/inbox/"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def browse(client):
    """A client signed in as somebody."""

    def sign_in(user):
        client.force_login(user)
        return client

    return sign_in


def decide(client, handoff, answers, **headers):
    return client.post(
        reverse("sales:decision", args=[handoff.pk]), answers, headers=headers or None
    )


def test_an_empty_inbox_says_what_to_do_next(browse, sam):
    page = browse(sam).get(INBOX)
    assert page.status_code == 200
    assert "Nothing waits for you." in page.text
    for tab in ("accepted", "rejected", "nonsense"):
        assert browse(sam).get(INBOX, {"tab": tab, "page": "x", "handoff": "ſ"}).status_code == 200


def test_the_inbox_ranks_by_score_and_says_why(browse, sam, ana):
    for score in (31, 84, 57):
        lead = become_mql(ana, last_name=f"Score{score}")
        Standing.objects.filter(lead=lead).update(score=score, quadrant="both")
    page = browse(sam).get(INBOX)
    text = page.text
    assert text.index("Score84") < text.index("Score57") < text.index("Score31")
    for words in ("Fit and interest", "Why this lead", "Budget", "left", "Accept"):
        assert words in text


def test_the_sidebar_counts_what_waits(browse, sam, sue, mona, mia, ana, mql):
    counts = [waiting_count(user) for user in (sam, mona, ana, sue, mia)]
    assert counts == [1, 1, 1, 0, 0]
    assert "1<span" in browse(sam).get(INBOX).text


def test_accepting_with_a_plain_form(browse, sam, handoff):
    answer = decide(browse(sam), handoff, {"decision": "accept"})
    assert (answer.status_code, answer["Location"]) == (303, INBOX)
    handoff.refresh_from_db()
    assert handoff.state == "accepted"
    page = browse(sam).get(INBOX, {"tab": "accepted"})
    assert "Kim Lee" in page.text


def test_rejecting_with_a_plain_form(browse, sam, handoff):
    answers = {"decision": "reject", "reason_code": "no_budget", "note": "<b>Next year</b>"}
    assert decide(browse(sam), handoff, answers).status_code == 303
    handoff.refresh_from_db()
    assert (handoff.state, handoff.note) == ("rejected", "<b>Next year</b>")
    page = browse(sam).get(INBOX, {"tab": "rejected"})
    assert "No budget" in page.text and "&lt;b&gt;Next year" in page.text


def test_a_rejection_without_reason_is_refused_with_a_sentence(browse, sam, handoff):
    answer = decide(browse(sam), handoff, {"decision": "reject"})
    assert answer.status_code == 422
    assert "Choose a reason: marketing learns from it." in answer.text
    assert "Kim Lee" in answer.text


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"decision": "maybe"},
        {"decision": "reject", "reason_code": "no_budget", "not_before_on": "soon"},
        {"decision": "reject", "reason_code": "no budget'--"},
        {"decision": "reject", "reason_code": "no_budget", "note": "x" * 2001},
    ],
)
def test_nonsense_is_refused_with_a_sentence(browse, sam, handoff, answers):
    assert decide(browse(sam), handoff, answers).status_code == 422
    handoff.refresh_from_db()
    assert handoff.is_open


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_who_comes_second_gets_409_and_hears_who_was_faster(browse, sam, mona, handoff, headers):
    handoffs.accept(handoff.pk, by=Actor.of(sam))
    answer = decide(browse(mona), handoff, {"decision": "accept"}, **headers)
    assert answer.status_code == 409
    assert "Sam was faster: Kim Lee was accepted on" in answer.text
    assert "Nothing waits for you" in answer.text


def test_a_colleague_took_it_out_of_the_queue_first(browse, sam, mona, handoff, north):
    tom = person("Tom", "rep", north)
    handoffs.assign(handoff.pk, None, by=Actor.of(mona))
    assert "Kim Lee" in browse(tom).get(INBOX).text
    handoffs.accept(handoff.pk, by=Actor.of(sam))
    answer = decide(browse(tom), handoff, {"decision": "accept"})
    assert answer.status_code == 409 and "Sam was faster" in answer.text


def test_a_fragment_answers_whoever_asks_for_one(browse, sam, handoff):
    client = browse(sam)
    listed = client.get(INBOX, headers=HTMX)
    assert "inbox-list" in listed.text and "<html" not in listed.text
    detail = client.get(reverse("sales:handoff", args=[handoff.pk]), headers=HTMX)
    assert "Why this lead" in detail.text and "<html" not in detail.text
    done = decide(client, handoff, {"decision": "accept"}, **HTMX)
    assert done.status_code == 200
    assert "Kim Lee: accepted." in done.text and 'data-open-count="0"' in done.text


def test_a_handoff_has_an_address_of_its_own(browse, sam, handoff):
    answer = browse(sam).get(reverse("sales:handoff", args=[handoff.pk]))
    assert answer["Location"] == f"/inbox/?tab=submitted&handoff={handoff.pk}"


@pytest.mark.parametrize(
    ("who", "status"), [("mia", 403), ("viv", 403), ("sue", 404), ("tom", 404)]
)
def test_nobody_else_sees_or_decides(browse, handoff, who, status, request, north):
    user = person("Tom", "rep", north) if who == "tom" else request.getfixturevalue(who)
    client = browse(user)
    assert decide(client, handoff, {"decision": "accept"}).status_code == status
    assign = reverse("sales:assignment", args=[handoff.pk])
    assert client.post(assign, {"assignee": user.pk}).status_code == status
    assert client.get(reverse("sales:handoff", args=[handoff.pk])).status_code == status
    assert "Kim Lee" not in client.get(INBOX).text
    handoff.refresh_from_db()
    assert handoff.is_open


def test_a_manager_assigns_within_the_team(browse, mona, handoff, sue, north):
    tom = person("Tom", "rep", north)
    client = browse(mona)
    address = reverse("sales:assignment", args=[handoff.pk])
    assert client.post(address, {"assignee": sue.pk}).status_code == 422
    assert client.post(address, {"assignee": tom.pk, "note": "Ill"}).status_code == 303
    handoff.refresh_from_db()
    assert handoff.assignee == tom
    assert client.post(address, {"assignee": ""}).status_code == 303
    handoff.refresh_from_db()
    assert handoff.assignee is None
    assert "It was put back into the queue." in client.get(INBOX).text


def test_a_rep_takes_a_handoff_out_of_the_queue(browse, sam, mona, handoff):
    handoffs.assign(handoff.pk, None, by=Actor.of(mona))
    client = browse(sam)
    assert "Take it out of the queue" in client.get(INBOX).text
    address = reverse("sales:assignment", args=[handoff.pk])
    assert client.post(address).status_code == 303
    handoff.refresh_from_db()
    assert handoff.assignee == sam
    assert client.post(address).status_code == 422


def test_a_rejected_lead_stays_in_sight_of_the_rep_who_knows_it(browse, sam, handoff, mql):
    handoffs.reject(handoff.pk, by=Actor.of(sam), reason_code="no_budget")
    assert Lead.objects.visible_to(sam).filter(pk=mql.pk).exists()
    page = browse(sam).get(INBOX, {"tab": "rejected"})
    assert reverse("leads:lead", args=[mql.pk]) in page.text


def test_a_withdrawn_handoff_leaves_the_inbox(browse, sam, mona, mql, handoff):
    lifecycle.disqualify(mql.pk, by=Actor.of(mona), reason="Bankrupt")
    assert "Kim Lee" not in browse(sam).get(INBOX).text
    assert Handoff.objects.get().state == "withdrawn"


def test_a_full_inbox_needs_few_queries(browse, sam, ana, django_assert_max_num_queries):
    sam.capacity = 99
    sam.save()
    for _number in range(8):
        become_mql(ana)
    client = browse(sam)
    client.get(INBOX)
    with django_assert_max_num_queries(20):
        client.get(INBOX)
    assert handoff_of(Lead.objects.first()).assignee == sam
