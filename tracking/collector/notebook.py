"""What the debugger shows of the messages that come in: a sample, taken sparingly.

Each source has so many notes a second and no more, so that a busy one costs next to
nothing; refused messages have a budget of their own, for they are what one looks for. A
note of a message that is stored says only where to find it. The payload of a refused
one is cleaned like an event's, and has neither write key nor IP address nor passwords.
"""

from __future__ import annotations

import time
from typing import Any

from tracking.collector.gate import Bucket
from tracking.collector.keys import Sender
from tracking.collector.reading import Harvest
from tracking.ingest import message_id_of
from tracking.presentable import presentable
from tracking.storing import Note

PER_SECOND = 5.0  # notes of one source and process
AT_ONCE = 60.0


class Notebook:
    """Decides per request what is noted of it."""

    def __init__(self) -> None:
        self._budgets: dict[tuple[int, bool], Bucket] = {}  # by (source id, is refused)

    def take(self, sender: Sender, call: str, harvest: Harvest, document: Any) -> list[Note]:
        """Notes of one request; `document` is its body, for what was left out of it."""
        notes, rows, left_out = [], harvest.rows, harvest.left_out
        if rows and (count := self._allowed(sender.source_id, len(rows), is_refused=False)):
            notes = [_note(sender, call, row["message_id"]) for row in rows[:count]]
        if left_out and (count := self._allowed(sender.source_id, len(left_out), is_refused=True)):
            for index, reason in left_out[:count]:
                message = _message(document, call, index)
                shown = presentable(message)
                notes.append(_note(sender, call, message_id_of(message), reason, shown))
        return notes

    def _allowed(self, source_id: int, wanted: int, *, is_refused: bool) -> int:
        """How many of `wanted` notes the budget has room for."""
        now = time.monotonic()
        budget = self._budgets.get((source_id, is_refused))
        if budget is None:
            budget = Bucket(PER_SECOND, AT_ONCE, now)
            self._budgets[source_id, is_refused] = budget
        count = min(wanted, budget.left(now))
        if count:
            budget.take(count, now)
        return count


def _message(document: Any, call: str, index: int) -> Any:
    """The message at this place of a batch; of any other call, the body itself."""
    if call != "batch":
        return document
    messages = document.get("batch") if isinstance(document, dict) else document
    return messages[index] if isinstance(messages, list) else document


def _note(
    sender: Sender, call: str, message_id: str, reason: str = "", payload: Any = None
) -> Note:
    return {
        "source_id": sender.source_id,
        "key_id": sender.key_id,
        "call": call,
        "message_id": message_id,
        "reason": reason,
        "payload": payload,
    }
