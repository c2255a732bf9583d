"""Whatever two leads are like: merged and taken apart, they are as before."""

from __future__ import annotations

from datetime import datetime, timedelta

import time_machine
from django.db import transaction
from django.utils.timezone import now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insights.models import Cell, Stay
from leads import lifecycle
from leads.capture import record_consent
from leads.models import BuyingRole, Lead
from scoring import folding
from scoring.ledger import Ledger, facts_of_many
from scoring.models import ModelVersion
from tests.factories import LeadFactory, tell_events
from tests.leads.merging import merge, prove, unmerge
from tests.leads.people import SYSTEM
from tracking.models import Event

STAGES = ("lead", "qualified", "mql", "sal", "disqualified")
PLACE = {"disqualified": 0, "lead": 1, "qualified": 2, "mql": 3, "sal": 4}
EVENTS = st.lists(
    st.sampled_from(
        [
            "page_viewed 3d ago /",
            "pricing_page_viewed 2d ago /pricing",
            "file_downloaded 30h ago /a.pdf",
            "form_submitted 1d ago /",
            "email_opened 5h ago",
        ]
    ),
    max_size=4,
)
PEOPLE = st.fixed_dictionaries(
    {
        "stage": st.sampled_from(STAGES),
        "events": EVENTS,
        "title": st.sampled_from(["", "CEO", "Student"]),
        "phone": st.sampled_from(["", "110"]),
        "roles": st.sets(st.sampled_from(["user", "champion", "blocker"])),
        "consent": st.sampled_from([None, True, False]),
    }
)
SIDES = st.dictionaries(
    st.sampled_from(["title", "phone", "email", "origin", "owner", "company"]),
    st.sampled_from(["survivor", "loser"]),
)


def person(told: dict) -> Lead:
    lead = LeadFactory(title=told["title"], phone=told["phone"])
    if told["events"]:
        tell_events(lead, *told["events"])
    if told["stage"] != "lead":
        lifecycle.record_imported_step(lead.pk, told["stage"], by=SYSTEM, at=now())
    for kind in sorted(told["roles"]):
        BuyingRole.objects.create(lead=lead, kind=kind)
    if told["consent"] is not None:
        record_consent(lead, purpose="mail", is_granted=told["consent"],
                       at=now() - timedelta(days=1), evidence="fair", cause="x")  # fmt: skip
    lead.refresh_from_db()
    return lead


def facts(lead: Lead, as_of: datetime) -> dict:
    """Everything that must be as before: profile, score by its ledger, stays, events, roles."""
    lead = Lead.objects.get(pk=lead.pk)
    version = ModelVersion.objects.active()
    explained = Ledger(version).at(facts_of_many([lead.pk], as_of)[lead.pk], as_of)
    answers = lead.consents.filter(purpose="mail")
    return {
        "profile": [getattr(lead, name) for name in ("email", "title", "phone", "company", "stage",
                                                     "cycle", "owner_id", "account_id")],
        "score": (explained.fit, explained.interest),
        "stays": list(Stay.objects.filter(lead=lead.pk).order_by("seq").values_list()),
        "events": list(Event.objects.filter(lead=lead).order_by("pk").values_list("pk", flat=True)),
        "roles": sorted(lead.buying_roles.values_list("kind", flat=True)),
        "may be mailed": bool(answers and answers[0].is_granted),
    }  # fmt: skip


def world(*leads: Lead) -> tuple:
    prove()
    as_of = folding.database_instant()
    cells = sorted(Cell.objects.exclude(stay_count=0).values_list())
    return as_of, [facts(lead, as_of) for lead in leads], cells


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(one=PEOPLE, other=PEOPLE, sides=SIDES)
def test_merged_and_taken_apart_two_leads_are_as_before(mia, one, other, sides):
    ahead, behind = sorted((one, other), key=lambda told: PLACE[told["stage"]], reverse=True)
    with time_machine.travel(now(), tick=True), transaction.atomic():
        survivor, loser = person(ahead), person(behind)
        as_of, before, cells = world(survivor, loser)
        row = merge(survivor, loser, mia, choices=sides)
        stage = Lead.objects.get(pk=survivor.pk).stage
        prove()
        unmerge(row, mia)
        _later, _now, cells_after = world(survivor, loser)
        after = [facts(lead, as_of) for lead in (survivor, loser)]
        # The event or consent that came along may have moved the survivor on: that is history.
        if stage == before[0]["profile"][4]:
            assert after == before
            assert cells_after == cells
        else:
            assert after[1] == before[1]
        transaction.set_rollback(True)
