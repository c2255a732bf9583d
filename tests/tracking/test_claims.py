"""Statistics of a queue are those of an empty one: no claim may build on them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from scoring import rescore
from tracking import attaching
from tracking.verdicts import checking

WAITING = 2_000
CLAIMS = {
    "tracking_pendingevent (event_id)": (lambda: attaching._claim(1000, False), 1000),
    "tracking_verdictcheck (event_id, due_at)": (lambda: checking._claim(200), 200),
    "scoring_dirtylead (lead_id)": (
        lambda: rescore._claim("attempts = 0", 500, timedelta(0)),
        500,
    ),
}


@pytest.mark.django_db
@pytest.mark.parametrize("queue", CLAIMS)
def test_what_waits_is_claimed_without_a_join(queue):
    claim, claimed = CLAIMS[queue]
    past = ", now() - interval '1 day'" if "due_at" in queue else ""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {queue.split()[0]}")
        cursor.execute("SET LOCAL session_replication_role = replica")  # for leads nobody made
        cursor.execute(f"INSERT INTO {queue} SELECT n{past} FROM generate_series(1, {WAITING}) n")
    with CaptureQueriesContext(connection) as queries:
        assert len(claim()) == claimed
    [update] = [q["sql"] for q in queries.captured_queries if "SKIP LOCKED" in q["sql"]]
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + update)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "Nested Loop" not in plan
    assert "Join" not in plan
