"""What PostgreSQL itself refuses, whoever asks."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from leads.actors import Actor
from sales import handoff as handoffs
from sales.models import BantAnswer, Handoff, HandoffEvent
from tests.sales.conftest import answer_bant


def raw(sql: str, *params) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE sales_handoff SET state = 'rejected', reject_reason_id = 1",
        "UPDATE sales_handoff SET state = 'submitted', decided_at = NULL",
        "UPDATE sales_handoff SET note = 'It was never me'",
        "UPDATE sales_handoff SET decided_by_id = NULL",
        "DELETE FROM sales_handoff",
    ],
)
def test_a_decided_handoff_never_changes(handoff, sam, sql):
    handoffs.accept(handoff.pk, by=Actor.of(sam))
    before = list(Handoff.objects.values())
    with pytest.raises(DatabaseError):
        raw(sql)
    assert list(Handoff.objects.values()) == before


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE sales_handoff SET due_at = due_at + interval '9 hours'",
        "UPDATE sales_handoff SET submitted_at = submitted_at - interval '9 hours'",
        "UPDATE sales_handoff SET cycle = 7",
        "UPDATE sales_handoff SET score = 999",
        "UPDATE sales_handoff SET state = 'accepted'",
        "UPDATE sales_handoff SET state = 'rejected', decided_at = now()",
        "UPDATE sales_handoff SET state = 'accepted', decided_at = submitted_at - interval '1 s'",
        "UPDATE sales_handoff SET assignee_id = NULL",
        "DELETE FROM sales_handoff",
        "UPDATE sales_handoffevent SET note = 'x'",
        "DELETE FROM sales_handoffevent",
        "TRUNCATE sales_handoffevent",
    ],
)
def test_an_open_handoff_keeps_what_it_was_submitted_with(handoff, sql):
    before = list(Handoff.objects.values()), list(HandoffEvent.objects.values())
    with pytest.raises(DatabaseError):
        raw(f"SET LOCAL funnel.truncating = 'off'; {sql}")
    assert (list(Handoff.objects.values()), list(HandoffEvent.objects.values())) == before


def test_one_lead_has_one_open_handoff_in_a_cycle(handoff, mql):
    earlier = mql.episodes.first()
    with pytest.raises(DatabaseError, match="sales_handoff_one_open"):
        raw(
            """INSERT INTO sales_handoff (lead_id, episode_id, cycle, state, route, queue_reason,
                   submitted_at, due_at, note, score, fit, interest, quadrant)
               VALUES (%s, %s, 1, 'submitted', 'queue', '', now(), now(), '', 0, 0, 0, '')""",
            mql.pk,
            earlier.pk,
        )


def test_a_bant_answer_is_never_edited(sal, sam):
    answer_bant(sal, sam, ["need"])
    for sql in ("UPDATE sales_bantanswer SET verdict = 'met'", "DELETE FROM sales_bantanswer"):
        with pytest.raises(DatabaseError, match="append-only"):
            raw(sql)
    assert BantAnswer.objects.count() == 1


def test_erasing_a_person_is_the_one_exception(handoff, sam):
    handoffs.accept(handoff.pk, by=Actor.of(sam))
    raw(
        "SET LOCAL funnel.erasing = 'on'; DELETE FROM sales_handoffevent; DELETE FROM sales_handoff"
    )
    assert not Handoff.objects.exists()
