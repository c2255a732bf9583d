"""A web process serves others while it reads a large batch."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from tests import event_loop
from tracking.collector.reading import harvest_batch
from tracking.surroundings import Envelope


def test_others_have_their_turn_while_a_large_batch_is_read():
    """Nobody else is served while messages are prepared, so that happens bit by bit."""
    turns = []

    async def read() -> None:
        batch = [{"type": "page", "anonymousId": "v", "messageId": str(n)} for n in range(450)]
        others = asyncio.create_task(count())
        harvest = await harvest_batch(batch, Envelope(1, False, datetime.now(UTC)), 500_000)
        others.cancel()
        assert len(harvest.rows) == 450

    async def count() -> None:
        while True:
            turns.append(1)
            await asyncio.sleep(0)

    event_loop.run(read())
    assert len(turns) == 4
