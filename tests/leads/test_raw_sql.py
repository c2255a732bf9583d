"""What PostgreSQL refuses of the rules themselves: the list of moves, and the clock."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils.timezone import now

from leads import lifecycle
from leads.actors import Actor
from leads.capture import capture_lead
from leads.models import Lead, StageMove
from leads.stages import Stage

SYSTEM = Actor.system("test")
JUMP = (
    "INSERT INTO leads_stagemove (from_stage, to_stage, kind, starts_cycle)"
    " VALUES ('lead', 'customer', 'advanced', false)"
)


def raw(sql: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture
def lead(db) -> Lead:
    return capture_lead(
        by=SYSTEM, email="kim@acme.example", first_seen_at=now() - timedelta(days=9)
    )[0]


@pytest.mark.parametrize(
    "sql",
    [
        JUMP,
        "UPDATE leads_stagemove SET to_stage = 'customer' WHERE from_stage = 'lead'",
        "UPDATE leads_stagemove SET kind = kind",
        "DELETE FROM leads_stagemove WHERE from_stage = 'merged'",
        "DELETE FROM leads_stagemove",
        "SET LOCAL funnel.erasing = 'on'; DELETE FROM leads_stagemove",
        "SET LOCAL funnel.truncating = 'off'; TRUNCATE leads_stagemove CASCADE",
    ],
)
def test_nobody_changes_the_legal_moves(db, sql):
    before = list(StageMove.objects.values())
    with pytest.raises(DatabaseError, match=r"by migrations only|append-only"):
        raw(sql)
    assert list(StageMove.objects.values()) == before


def test_a_migration_that_says_so_changes_the_legal_moves(db):
    raw(f"SET LOCAL funnel.migrating = 'on'; {JUMP}")
    assert StageMove.objects.filter(from_stage="lead", to_stage="customer").exists()


def enter_qualified(lead: Lead, at: str) -> None:
    """As the product does it, in raw SQL."""
    raw(
        f"""
        INSERT INTO leads_stageepisode (lead_id, seq, previous_seq, from_stage, stage, entry_kind,
               starts_cycle, cycle, entered_at, exit_kind, is_pass_through, is_date_unknown,
               actor_kind, actor_label, reason, is_override, criteria)
        VALUES ({lead.pk}, 2, 1, 'lead', 'qualified', 'advanced', false, 1, {at}, '', false, false,
                'system', '', '', false, '[]');
        UPDATE leads_lead SET stage = 'qualified', stage_entered_at = {at}, episode_seq = 2
         WHERE id = {lead.pk};
        SET CONSTRAINTS ALL IMMEDIATE
        """
    )


@pytest.mark.parametrize(
    "at", ["now() + interval '25 hours'", "now() + interval '9 years'", "'infinity'"]
)
def test_nobody_enters_a_stage_in_the_future(lead, at):
    with pytest.raises(DatabaseError, match="lies in the future"):
        enter_qualified(lead, at)


def test_clocks_may_disagree_by_a_few_hours(lead):
    enter_qualified(lead, "now() + interval '14 hours'")
    lead.refresh_from_db()
    assert lead.stage == Stage.QUALIFIED


def test_nobody_is_lost_in_the_future_either(lead):
    with pytest.raises(DatabaseError, match="lies in the future"), transaction.atomic():
        lifecycle.disqualify(lead.pk, by=SYSTEM, reason="Spam", at=now() + timedelta(days=400))
