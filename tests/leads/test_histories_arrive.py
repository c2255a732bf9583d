"""A stay may arrive closed, but only together with the one that closed it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import DatabaseError, connection, transaction

from leads.models import Lead, StageEpisode
from tests.leads.people import make_lead

pytestmark = pytest.mark.django_db

MAY, JUNE, JULY = (datetime(2018, month, 1, tzinfo=UTC) for month in (5, 6, 7))

INSERT = """
    INSERT INTO leads_stageepisode (lead_id, seq, previous_seq, from_stage, stage, entered_at,
        left_at, exit_kind, cycle, entry_kind, starts_cycle, is_pass_through, is_date_unknown,
        actor_kind, actor_label, reason, is_override, criteria)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'advanced', false, false, false, 'system', '', '',
        false, '[]')
"""
BRING_ALONG = """
    UPDATE leads_lead l SET (stage, cycle, episode_seq, stage_entered_at) = (
        SELECT stage, cycle, seq, entered_at FROM leads_stageepisode e
         WHERE e.lead_id = l.id ORDER BY seq DESC LIMIT 1)
"""


def arrive(lead: Lead, *rows: tuple) -> None:
    """Insert these rows and bring the lead along, as one transaction."""
    with transaction.atomic(), connection.cursor() as cursor:
        for row in rows:
            cursor.execute(INSERT, [lead.pk, *row])
        cursor.execute(BRING_ALONG)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.fixture
def lead(db) -> Lead:
    return make_lead(at=MAY)


def qualified(left_at: datetime | None, exit_kind: str = "advanced") -> tuple:
    return 2, 1, "lead", "qualified", JUNE, left_at, exit_kind, 1


def mql(at: datetime, cycle: int = 1) -> tuple:
    return 3, 2, "qualified", "mql", at, None, "", cycle


def test_a_closed_stay_arrives_with_its_successor(lead):
    arrive(lead, qualified(JULY), mql(JULY))
    stays = list(StageEpisode.objects.values_list("stage", "entered_at", "left_at", "exit_kind"))
    assert stays == [
        ("lead", MAY, JUNE, "advanced"),
        ("qualified", JUNE, JULY, "advanced"),
        ("mql", JULY, None, ""),
    ]


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([qualified(JULY)], id="no successor"),
        pytest.param([qualified(JULY), mql(JUNE)], id="the next began before it ended"),
        pytest.param([qualified(JUNE), mql(JULY)], id="a gap in time"),
        pytest.param([qualified(JULY, "lost"), mql(JULY)], id="ended in another way"),
        pytest.param([qualified(JULY), mql(JULY, cycle=2)], id="another cycle"),
        pytest.param([qualified(JULY, ""), mql(JULY)], id="no way out"),
        pytest.param([mql(JULY), qualified(JULY)], id="the successor first"),
    ],
)
def test_postgresql_refuses_any_other_end(lead, rows):
    with pytest.raises(DatabaseError):
        arrive(lead, *rows)
    assert [episode.stage for episode in lead.episodes.all()] == ["lead"]
    assert lead.episodes.get().left_at is None
