"""What was told is evidence: PostgreSQL keeps it as it came, whoever asks."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from tests.hindsight import change_events
from tests.tracking.conftest import FIREFOX
from tracking.models import Event, Verdict


def raw(sql: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture
def event(tell, attach) -> Event:
    """A page view of a visitor who then said who it is."""
    event = tell("page", who="v1", path="/pricing", header=FIREFOX)
    tell("Form Submitted", who="v1", email="ada@acme.example")
    attach()
    event.refresh_from_db()
    assert event.lead_id
    return event


@pytest.mark.parametrize(
    "change",
    [
        "id = id + 1000",
        "source_id = source_id + 1",
        "message_id = message_id || 'x'",
        "kind = 'demo_requested'",
        "name = 'Demo'",
        "occurred_at = occurred_at - interval '1 year'",
        "sent_at = now()",
        "received_at = received_at - interval '1 year'",
        "anonymous_id = 'v2'",
        "user_id = 'u2'",
        "url = 'https://acme.example/other'",
        "path = '/other'",
        "referrer = 'https://elsewhere.example/'",
        "title = 'Other'",
        "user_agent = 'Other'",
        "properties = '{}'",
        "context = '{}'",
        "is_trusted = true",
        "verdict = 2, kind = 'demo_requested'",
    ],
)
def test_postgresql_refuses_to_change_what_was_told(event, change):
    before = list(Event.objects.order_by("id").values())
    with pytest.raises(DatabaseError, match="append-only"):
        raw(f"UPDATE tracking_event SET {change}")
    assert list(Event.objects.order_by("id").values()) == before


def test_every_column_is_either_evidence_or_ours(event):
    """A new column has to be decided on."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT array_agg(a.attname::text ORDER BY a.attname) FROM pg_attribute a
             WHERE a.attrelid = 'tracking_event'::regclass AND a.attnum > 0 AND NOT a.attisdropped
               AND a.attnum <> ALL (SELECT unnest(t.tgattr) FROM pg_trigger t
                                     WHERE t.tgname = 'tracking_event_is_evidence')
            """
        )
        assert cursor.fetchone()[0] == ["engaged_ms", "lead_id", "verdict", "verdict_signals"]


def test_what_we_make_of_an_event_may_change(event):
    raw("UPDATE tracking_event SET verdict = 2, verdict_signals = '{x}', engaged_ms = 9")
    raw("UPDATE tracking_event SET lead_id = NULL")
    event.refresh_from_db()
    assert (event.verdict, event.engaged_ms, event.lead_id) == (Verdict.MACHINE, 9, None)


@pytest.mark.parametrize("sql", ["DELETE FROM tracking_event", "TRUNCATE tracking_event"])
def test_postgresql_refuses_to_lose_what_a_lead_did(event, sql):
    with pytest.raises(DatabaseError):
        raw(f"SET LOCAL funnel.truncating = 'off'; {sql}")
    assert Event.objects.filter(pk=event.pk).exists()


def test_erasing_a_person_is_the_one_exception(event):
    change_events({"user_agent": ""}, pk=event.pk)
    raw("SET LOCAL funnel.erasing = 'on'; DELETE FROM tracking_event")
    assert not Event.objects.exists()
