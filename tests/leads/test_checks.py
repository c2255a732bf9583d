"""CHECKs of the history that hold also where a column is NULL."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction

from tests.leads.people import make_lead


def raw(sql: str) -> None:
    """Past the triggers, which refuse these rows for other reasons."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql)


@pytest.mark.parametrize(
    ("sql", "constraint"),
    [
        ("SET exit_kind = 'advanced' WHERE seq = 2", "not_negative"),
        ("SET left_at = now(), exit_kind = '' WHERE seq = 2", "not_negative"),
        ("SET left_at = NULL, exit_kind = 'lost' WHERE seq = 1", "not_negative"),
        ("SET left_at = entered_at - interval '1 second' WHERE seq = 1", "not_negative"),
        ("SET previous_seq = NULL WHERE seq = 2", "chain"),
        ("SET previous_seq = 2 WHERE seq = 2", "chain"),
        ("SET previous_seq = 1 WHERE seq = 1", "chain"),
    ],
)
def test_postgresql_refuses(db, sql, constraint):
    make_lead(stage="qualified")
    with pytest.raises(IntegrityError, match=f"leads_episode_{constraint}"):
        raw(f"UPDATE leads_stageepisode {sql}")
