"""Leads on their way through sales."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest
from django.utils.timezone import now

from leads import lifecycle
from leads.actors import Actor
from leads.capture import capture_lead, record_consent
from leads.models import BuyingRole, Criterion, Lead
from leads.stages import Stage
from sales import bant
from sales import handoff as handoffs
from sales.models import Handoff

SYSTEM = Actor.system("test")
_numbers = itertools.count(1)


def become_mql(ana, email: str = "", **profile) -> Lead:
    """A lead whom an admin proposes to sales: scoring's criteria are overridden."""
    email = email or f"kim{next(_numbers)}@acme.example"
    profile = {"first_name": "Kim", "last_name": "Lee", "company": "Acme", **profile}
    lead, _was_new = capture_lead(
        by=SYSTEM, email=email, profile=profile, first_seen_at=now() - timedelta(days=9)
    )
    record_consent(lead, purpose="mail", is_granted=True, at=now(), evidence="form", cause="e1")
    lifecycle.advance(
        lead.pk, Stage.MQL, by=Actor.of(ana), override=True, reason="Asked for a call"
    )
    lead.refresh_from_db()
    return lead


def handoff_of(lead: Lead) -> Handoff:
    return Handoff.objects.filter(lead=lead).latest("id")


def know_the_decision_maker(lead: Lead) -> None:
    BuyingRole.objects.create(lead=lead, kind=BuyingRole.Kind.DECISION_MAKER)


def answer_bant(lead: Lead, by, letters=("budget", "authority", "need")) -> None:
    for letter in letters:
        bant.record_answer(lead.pk, letter, "met", by=Actor.of(by), evidence="Said so on the call")


@pytest.fixture
def mql(sam, ana) -> Lead:
    """An MQL that routing gave to Sam, the only rep."""
    return become_mql(ana)


@pytest.fixture
def handoff(mql) -> Handoff:
    return handoff_of(mql)


@pytest.fixture
def sal(mql, handoff, sam) -> Lead:
    handoffs.accept(handoff.pk, by=Actor.of(sam))
    mql.refresh_from_db()
    return mql


@pytest.fixture
def deal(sal, sam) -> Lead:
    """A lead in stage SQL, with its open opportunity."""
    know_the_decision_maker(sal)
    answer_bant(sal, sam)
    lifecycle.advance(sal.pk, Stage.SQL, by=Actor.of(sam))
    sal.refresh_from_db()
    return sal


@pytest.fixture
def no_buying_roles(db) -> None:
    Criterion.objects.filter(kind="buying_roles_known").update(is_active=False)
