"""Large groups of messages that nobody sent before go to disk by COPY, in one transaction.

COPY writes many rows at once and knows no ON CONFLICT: when one of the messages is stored
already, it all is undone and storing.STORE takes the group. That is rare; while it happens,
copying pauses.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Sequence

import psycopg

from tracking.binary_rows import COLUMNS, encode
from tracking.collector.database import Link
from tracking.storing import COUNT, NOTES, TALLIES, Note, Rejects, count_parameters

log = logging.getLogger(__name__)

FEWEST = 100  # rows; fewer are quicker in one statement
PAUSE_SECONDS = 10.0  # after a message came again

# Ids are given in the order of the rows, which is the order a batch happened in.
_BEGIN = """
SELECT array_agg(nextval('tracking_event_id_seq')), statement_timestamp(),
       EXISTS (SELECT FROM tracking_purgedmessage)
  FROM generate_series(1, %(count)s::integer)
"""
_PURGED = """
SELECT EXISTS (SELECT FROM unnest(%(sources)s::bigint[], %(messages)s::text[]) AS m(source, id)
                 JOIN tracking_purgedmessage ON digest = tracking_message_digest(source, id))
"""
_COPY = f"COPY tracking_event ({', '.join(COLUMNS)}) FROM STDIN (FORMAT binary)"
# Parameters: ids, and those of storing.count_parameters.
_FOLLOW = f"""
WITH work AS (INSERT INTO tracking_pendingevent (event_id) SELECT unnest(%(ids)s::bigint[])),
tally AS (SELECT * FROM {TALLIES}),
counted AS ({COUNT})
INSERT INTO tracking_inspectedmessage
       (source_id, key_id, call, message_id, reason, payload, outcome)
SELECT n.*, CASE WHEN reason <> '' THEN 'rejected' ELSE 'accepted' END FROM {NOTES}
"""  # noqa: S608 - built of constants


class Copier:
    """Tries to store a group by COPY."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._paused_until = float("-inf")

    async def store(self, rows: list[dict], rejects: Rejects, notes: Sequence[Note]) -> bool:
        """Whether all of it is committed; if not, nothing is. Raises DatabaseAway."""
        if len(rows) < FEWEST or time.monotonic() < self._paused_until:
            return False
        try:
            return await self._link.do(lambda to: copy_rows(to, rows, rejects, notes))
        except psycopg.errors.UniqueViolation:
            self._paused_until = time.monotonic() + PAUSE_SECONDS
        except (psycopg.Error, ValueError, TypeError, RecursionError) as error:
            # Who takes the group now finds the row at fault.
            log.info("A group could not be copied: %s", error)
        return False


async def copy_rows(
    connection: psycopg.AsyncConnection,
    rows: list[dict],
    rejects: Rejects,
    notes: Sequence[Note],
) -> bool:
    """One transaction. False, and nothing is stored, when a message is there twice or was purged.

    Raises UniqueViolation when one is stored already. Inserted in the order of their keys, as
    STORE does: writers that bring the same messages wait for each other in the same order and
    never dead-lock.
    """
    keys = [(row["source_id"], row["message_id"]) for row in rows]
    if len(set(keys)) < len(keys):
        return False
    cursor = connection.cursor(binary=True)
    await cursor.execute(_BEGIN, {"count": len(rows)}, prepare=True)
    [(ids, received_at, has_purged)] = await cursor.fetchall()
    if has_purged and await _is_purged(cursor, keys):
        return False
    numbered = [each[1:] for each in sorted(zip(keys, ids, rows, strict=True), key=_key)]
    accepted = Counter([source_id for source_id, _message_id in keys])
    listed = f"{{{','.join(map(str, ids))}}}"  # a fifth of what adapting a list costs
    follow = {"ids": listed, **count_parameters(rejects, notes, accepted)}
    async with connection.transaction():
        async with cursor.copy(_COPY) as copy:
            for data in encode(numbered, received_at):
                await copy.write(data)
                await asyncio.sleep(0)  # others have their turn, too
        await cursor.execute(_FOLLOW, follow, prepare=True)
    return True


def _key(entry: tuple) -> tuple[int, str]:
    return entry[0]


async def _is_purged(cursor: psycopg.AsyncCursor, keys: list[tuple[int, str]]) -> bool:
    """Asked before the transaction: an event goes only a minute after its digest is there."""
    sources, messages = zip(*keys, strict=True)
    parameters = {"sources": list(sources), "messages": list(messages)}
    await cursor.execute(_PURGED, parameters, prepare=True)
    [(found,)] = await cursor.fetchall()
    return found
