"""The lifecycle holds: through its one door, and in raw SQL."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils.timezone import now

from leads import lifecycle
from leads.actors import Actor
from leads.capture import capture_lead, qualify_when_ready, record_consent
from leads.models import Criterion, Lead, StageEpisode, StageMove
from leads.refusals import Conflict, Refused
from leads.stages import FUNNEL, MOVES, Stage

SYSTEM = Actor.system("test")


@pytest.fixture
def lead(db) -> Lead:
    lead, _was_new = capture_lead(
        by=SYSTEM, email="kim@acme.example", first_seen_at=now() - timedelta(days=9)
    )
    return lead


@pytest.fixture
def customer(lead) -> Lead:
    for stage in FUNNEL[1:]:
        lifecycle.record_imported_step(lead.pk, stage, by=SYSTEM, at=now())
    lead.refresh_from_db()
    return lead


def story(lead: Lead) -> list[tuple]:
    return list(lead.episodes.values_list("seq", "cycle", "stage", "exit_kind"))


def raw(sql: str, *params) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


INSERT = """
    INSERT INTO leads_stageepisode (lead_id, seq, previous_seq, from_stage, stage, entry_kind,
        starts_cycle, cycle, entered_at, exit_kind, is_pass_through, is_date_unknown, actor_kind,
        actor_label, reason, is_override, criteria)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, now(), '', false, false, 'system', '', '', false, '[]')
"""
BRING_ALONG = """
    ; UPDATE leads_lead l SET (stage, cycle, episode_seq, stage_entered_at) = (
        SELECT stage, cycle, seq, entered_at FROM leads_stageepisode e
         WHERE e.lead_id = l.id ORDER BY seq DESC LIMIT 1)
"""


def test_the_database_knows_the_same_moves_as_the_code(db):
    rows = StageMove.objects.values_list("from_stage", "to_stage", "kind", "starts_cycle")
    assert set(rows) == {tuple(move) for move in MOVES}


def test_a_lead_begins_at_the_first_stage(lead):
    assert story(lead) == [(1, 1, "lead", "")]
    assert lead.stage == "lead" and lead.episode_seq == 1


def test_a_lead_without_consent_stays_a_lead(lead):
    assert not qualify_when_ready(lead.pk, by=SYSTEM)
    with pytest.raises(Refused, match=r"not ready to leave Lead. Still missing: No consent"):
        lifecycle.advance(lead.pk, Stage.QUALIFIED, by=SYSTEM)


def test_a_lead_with_consent_is_qualified(lead):
    record_consent(lead, purpose="mail", is_granted=True, at=now(), evidence="form", cause="e1")
    assert qualify_when_ready(lead.pk, by=SYSTEM)
    assert story(lead) == [(1, 1, "lead", "advanced"), (2, 1, "qualified", "")]


def test_a_stage_cannot_be_skipped_by_hand(lead, ana):
    with pytest.raises(
        Refused, match=r"cannot move from Lead to SQL. Allowed next: Qualified lead"
    ):
        lifecycle.advance(lead.pk, Stage.SQL, by=Actor.of(ana))


def test_an_override_needs_a_role_and_a_reason_and_shows(lead, ana, sam):
    with pytest.raises(Refused, match="Say why"):
        lifecycle.advance(lead.pk, Stage.QUALIFIED, by=Actor.of(ana), override=True)
    with pytest.raises(Refused, match="Your role may not"):
        lifecycle.advance(lead.pk, Stage.QUALIFIED, by=Actor.of(sam), override=True, reason="x")
    lifecycle.advance(lead.pk, Stage.MQL, by=Actor.of(ana), override=True, reason="Met at the fair")
    assert [(e.stage, e.is_pass_through, e.is_override) for e in lead.episodes.all()] == [
        ("lead", False, False),
        ("qualified", True, True),
        ("mql", False, True),
    ]


def test_recycling_starts_a_new_cycle(customer):
    lead, _was_new = capture_lead(by=SYSTEM, email="lee@acme.example")
    lifecycle.record_imported_step(lead.pk, Stage.SAL, by=SYSTEM, at=now())
    with pytest.raises(Refused, match="Say why"):
        lifecycle.recycle(lead.pk, by=SYSTEM, reason=" ")
    lifecycle.recycle(lead.pk, by=SYSTEM, reason="No budget this year")
    assert story(lead)[-2:] == [(4, 1, "sal", "recycled"), (5, 2, "qualified", "")]


def test_who_comes_second_is_told_who_was_faster(lead, ana):
    lifecycle.disqualify(lead.pk, by=Actor.of(ana), reason="Student", expected_seq=1)
    with pytest.raises(Conflict, match="Ana was faster"):
        lifecycle.disqualify(lead.pk, by=SYSTEM, reason="Competitor", expected_seq=1)


@pytest.mark.parametrize(
    ("why", "row"),
    [
        ("an illegal jump", (2, 1, "lead", "sal", "advanced", False, 1)),
        ("a gap", (3, 2, "qualified", "mql", "advanced", False, 1)),
        ("a false origin", (2, 1, "qualified", "mql", "advanced", False, 1)),
        ("a new cycle on an ordinary move", (2, 1, "lead", "qualified", "advanced", True, 2)),
        ("a silent change of cycle", (2, 1, "lead", "qualified", "advanced", False, 2)),
        ("a second beginning", (1, None, "", "lead", "captured", False, 1)),
        ("an unknown stage", (2, 1, "lead", "hero", "advanced", False, 1)),
    ],
)
def test_postgresql_refuses(lead, why, row):
    with pytest.raises(DatabaseError):
        raw(INSERT + BRING_ALONG, lead.pk, *row)
    assert story(lead) == [(1, 1, "lead", "")]


def test_postgresql_refuses_a_second_decision_on_the_same_step(lead):
    step = (2, 1, "lead", "qualified", "advanced", False, 1)
    raw(INSERT + BRING_ALONG, lead.pk, *step)
    with pytest.raises(DatabaseError):
        raw(INSERT + BRING_ALONG, lead.pk, *step)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE leads_lead SET stage = 'sql'",
        "UPDATE leads_lead SET cycle = 7",
        "UPDATE leads_lead SET stage_entered_at = now() - interval '9 years'",
        "UPDATE leads_lead SET stage_entered_at = NULL",
        "UPDATE leads_lead SET episode_seq = 0, stage = 'lead'",
    ],
)
def test_postgresql_refuses_a_stage_that_history_does_not_tell(customer, sql):
    with pytest.raises(DatabaseError, match="where its newest episode says"):
        raw(sql)
    customer.refresh_from_db()
    assert customer.stage == "customer"


def test_postgresql_refuses_a_step_that_the_lead_does_not_follow(lead):
    with pytest.raises(DatabaseError, match="where its newest episode says"):
        raw(INSERT, lead.pk, 2, 1, "lead", "qualified", "advanced", False, 1)


def test_postgresql_refuses_a_lead_without_history(db):
    with pytest.raises(DatabaseError, match="where its newest episode says"), transaction.atomic():
        Lead.objects.create(email="nobody@acme.example")
        raw("SELECT 1")


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE leads_stageepisode SET stage = 'customer'",
        "UPDATE leads_stageepisode SET entered_at = now() - interval '9 years'",
        "UPDATE leads_stageepisode SET left_at = now(), exit_kind = 'lost' WHERE left_at IS NULL",
        "UPDATE leads_stageepisode SET reason = 'It was never me'",
        "DELETE FROM leads_stageepisode",
    ],
)
def test_postgresql_refuses_any_edit_of_history(customer, sql):
    before = list(StageEpisode.objects.values())
    with pytest.raises(DatabaseError):
        raw(sql)
    assert list(StageEpisode.objects.values()) == before


def test_postgresql_refuses_to_empty_the_history(customer):
    with pytest.raises(DatabaseError, match="append-only"):
        raw(
            "SET CONSTRAINTS ALL IMMEDIATE; SET LOCAL funnel.truncating = 'off';"
            "TRUNCATE leads_stageepisode CASCADE"
        )


def test_erasing_a_person_is_the_one_exception(lead):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL funnel.erasing = 'on'")
        lead.delete()
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert not StageEpisode.objects.exists()


def test_imported_steps_never_run_backwards(lead):
    with pytest.raises(Refused, match="lies before the lead entered"):
        lifecycle.record_imported_step(lead.pk, Stage.MQL, by=SYSTEM, at=now() - timedelta(days=99))


def test_every_default_criterion_has_an_evaluator_or_says_unknown(db):
    assert Criterion.objects.count() == 11
