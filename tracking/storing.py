"""The one statement that stores events, whoever brings them; large groups of fresh ones are
copied instead (collector/copying.py), with the same outcome.

Event rows, the work that follows from them, and the count of what was received are
one SQL statement and so one commit: a crash keeps all of it or nothing. Rows travel
as one JSON parameter, which costs one round trip for one event or five thousand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from django.conf import settings
from django.db import connection

# Name and SQL type of every column that a prepared row has a value for.
COLUMNS = {
    "source_id": "integer",
    "message_id": "text",
    "kind": "text",
    "name": "text",
    "occurred_at": "timestamptz",
    "sent_at": "timestamptz",
    "anonymous_id": "text",
    "user_id": "text",
    "url": "text",
    "path": "text",
    "referrer": "text",
    "title": "text",
    "user_agent": "text",
    "properties": "jsonb",
    "context": "jsonb",
    "is_trusted": "boolean",
    "verdict": "smallint",
    "verdict_signals": "text[]",
}
_NAMES = ", ".join(COLUMNS)
_TYPED = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
_VALUES = _NAMES.replace("occurred_at", "least(occurred_at, statement_timestamp())").replace(
    "verdict_signals", "coalesce(verdict_signals, '{}')"
)

# The parameters tallies and notes as tables.
TALLIES = """json_to_recordset(%(tallies)s::json)
    AS t(source_id integer, outcome text, reason text, n bigint)"""
NOTES = """json_to_recordset(%(notes)s::json) AS n(source_id integer, key_id integer, call text,
         message_id text, reason text, payload jsonb)"""
# Adds what stands in `tally` to the counts of today.
COUNT = """INSERT INTO tracking_ingestcount AS mine (source_id, day, outcome, reason, count)
  SELECT source_id, (now() AT TIME ZONE %(zone)s)::date, outcome, reason, sum(n) FROM tally
  WHERE n <> 0 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
  ON CONFLICT (source_id, day, outcome, reason) DO UPDATE SET count = mine.count + excluded.count"""

# Parameters: rows (JSON list of prepared rows), tallies (JSON list of source_id, outcome,
# reason, n for what is not in rows), notes (JSON list of Note), zone. Ids are given in the
# order of the rows, which is the order a batch happened in; insertion is by message id, so
# that two writers which bring the same messages wait for each other in the same order and
# never dead-lock. A message whose event was purged is a duplicate for ever; the question is
# a scalar subquery because PostgreSQL would be free to hash a whole table for EXISTS.
STORE = f"""
WITH incoming AS MATERIALIZED (
  SELECT nextval('tracking_event_id_seq') AS id, x.*
    FROM json_to_recordset(%(rows)s::json) AS x({_TYPED})),
fresh AS (
  INSERT INTO tracking_event (id, {_NAMES}, received_at)
  SELECT id, {_VALUES}, statement_timestamp() FROM incoming
   WHERE NOT (SELECT EXISTS (SELECT FROM tracking_purgedmessage))
      OR (SELECT true FROM tracking_purgedmessage
           WHERE digest = tracking_message_digest(source_id, message_id)) IS NULL
   ORDER BY source_id, message_id COLLATE "C"
  ON CONFLICT (source_id, message_id) DO NOTHING RETURNING id, source_id, message_id),
work AS (INSERT INTO tracking_pendingevent (event_id) SELECT id FROM fresh),
came AS (SELECT source_id, count(*) AS n FROM incoming GROUP BY 1),
kept AS (SELECT source_id, count(*) AS n FROM fresh GROUP BY 1),
tally AS (
  SELECT source_id, 'received' AS outcome, '' AS reason, n FROM came
  UNION ALL SELECT source_id, 'accepted', '', n FROM kept
  UNION ALL SELECT source_id, 'duplicate', '', came.n - coalesce(kept.n, 0)
    FROM came LEFT JOIN kept USING (source_id)
  UNION ALL SELECT * FROM {TALLIES}),
counted AS ({COUNT}),
noted AS (
  INSERT INTO tracking_inspectedmessage
         (source_id, key_id, call, message_id, reason, payload, outcome)
  SELECT n.*, CASE WHEN reason <> '' THEN 'rejected'
                   WHEN (source_id, message_id) IN (SELECT source_id, message_id FROM fresh)
                   THEN 'accepted' ELSE 'duplicate' END
    FROM {NOTES})
SELECT coalesce(sum(n), 0)::integer FROM kept
"""  # noqa: S608 - built of the constants above

# Parameters: row (one prepared row as JSON), source_id, key_id (or None), message_id, reason,
# zone.
QUARANTINE = """
WITH kept AS (
  INSERT INTO tracking_quarantinedmessage (source_id, step, payload, reason, attempts)
  VALUES (%(source_id)s, 'store', %(row)s::jsonb, %(reason)s, 1) RETURNING id),
noted AS (
  INSERT INTO tracking_inspectedmessage (source_id, key_id, outcome, message_id, quarantined_id)
  SELECT %(source_id)s, %(key_id)s, 'quarantined', %(message_id)s, id FROM kept),
tally AS (SELECT unnest(ARRAY['quarantined', 'received']) AS outcome)
INSERT INTO tracking_ingestcount AS mine (source_id, day, outcome, reason, count)
SELECT %(source_id)s, (now() AT TIME ZONE %(zone)s)::date, outcome, '', 1 FROM tally
ORDER BY outcome
ON CONFLICT (source_id, day, outcome, reason) DO UPDATE SET count = mine.count + 1
"""

Rejects = dict[tuple[int, str], int]  # (source id, reason) → how many
# What the debugger shows of one message: source_id, key_id, call, message_id, reason ("" of
# one that is stored) and payload (of one that is not).
Note = dict[str, Any]


def store_parameters(
    rows: Sequence[dict], rejects: Rejects, notes: Sequence[Note] = ()
) -> dict[str, Any]:
    """The parameters of STORE."""
    return {"rows": orjson.dumps(rows).decode(), **count_parameters(rejects, notes)}


def count_parameters(
    rejects: Rejects, notes: Sequence[Note], accepted: Mapping[int, int] | None = None
) -> dict[str, Any]:
    """The parameters tallies, notes and zone; `accepted` counts what is stored, by source."""
    tallies = [
        {"source_id": source_id, "outcome": outcome, "reason": why, "n": count}
        for (source_id, reason), count in rejects.items()
        for outcome, why in (("received", ""), ("rejected", reason))
    ]
    tallies += [
        {"source_id": source_id, "outcome": outcome, "reason": "", "n": count}
        for source_id, count in (accepted or {}).items()
        for outcome in ("received", "accepted")
    ]
    return {
        "tallies": json.dumps(tallies),
        "notes": json.dumps(list(notes)),
        "zone": settings.REPORTING_TIME_ZONE,
    }


def quarantine_parameters(row: dict, reason: str, key_id: int | None = None) -> dict[str, Any]:
    """The parameters of QUARANTINE. What jsonb itself refuses is kept as the text of it."""
    text = json.dumps(row, default=datetime.isoformat)
    if "\\u0000" in text or "\\ud" in text:
        text = json.dumps({"text": text.replace("\\u", "u+")})
    return {
        "source_id": row["source_id"],
        "key_id": key_id,
        "message_id": row["message_id"].replace("\0", ""),
        "row": text,
        "reason": reason[:2000].replace("\0", ""),
        "zone": settings.REPORTING_TIME_ZONE,
    }


def store(rows: Iterable[dict], rejects: Rejects | None = None) -> int:
    """Store prepared rows from within Django; returns how many were new."""
    with connection.cursor() as cursor:
        cursor.execute(STORE, store_parameters(list(rows), rejects or {}))
        return cursor.fetchone()[0]
