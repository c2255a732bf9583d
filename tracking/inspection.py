"""What the debugger shows: the last messages of a source, and all that is known of one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tracking.history import title_of
from tracking.models import Event, IngestCount, InspectedMessage, Source
from tracking.presentable import presentable
from tracking.steps import STEP_OF, Reason

Outcome = IngestCount.Outcome
OUTCOMES = (Outcome.ACCEPTED, Outcome.DUPLICATE, Outcome.REJECTED, Outcome.QUARANTINED)
SHOWN_OF_ONE = 200  # messages when one outcome is asked for
SHOWN_OF_EACH = 50  # of each outcome when all are


@dataclass(frozen=True)
class Line:
    """One message as the list shows it."""

    message: InspectedMessage
    event: Event | None

    @property
    def title(self) -> str:
        """What it was, as far as anybody could read it."""
        if self.event is not None:
            return title_of(self.event)
        payload = self.message.payload
        if isinstance(payload, dict):
            said = (payload.get("type"), payload.get("event") or payload.get("name"))
            return " ".join(word for word in said if isinstance(word, str))
        return self.message.call

    @property
    def reason(self) -> str:
        """A sentence: why it was refused or quarantined; empty for one that is stored."""
        if self.message.quarantined is not None:
            return self.message.quarantined.reason
        return sentence_of(self.message.reason)

    @property
    def step(self) -> str:
        return STEP_OF.get(self.message.reason, "")  # type: ignore[call-overload]


def lines_of(source: Source, only: str = "") -> list[Line]:
    """The last messages of a source, newest first; `only` of one outcome."""
    wanted = [outcome for outcome in OUTCOMES if outcome == only] or OUTCOMES
    count = SHOWN_OF_ONE if len(wanted) == 1 else SHOWN_OF_EACH
    found: list[InspectedMessage] = []
    for outcome in wanted:
        mine = InspectedMessage.objects.filter(source=source, outcome=outcome)
        found += mine.select_related("key", "quarantined").order_by("-pk")[:count]
    found.sort(key=lambda message: message.pk, reverse=True)
    events = _events_of(source.pk, found)
    return [Line(message, events.get(message.message_id)) for message in found]


def line_of(message: InspectedMessage) -> Line:
    return Line(message, _events_of(message.source_id, [message]).get(message.message_id))


def readable_payload(line: Line) -> str:
    """What the message said, as indented JSON; "" when nobody could read it."""
    said = _said_by(line)
    return "" if said is None else json.dumps(said, indent=2, ensure_ascii=False)


def sentence_of(reason: str) -> str:
    """Why, for people; a reason of an older version as it is."""
    return str(Reason(reason).label) if reason in Reason.values else reason


def _said_by(line: Line) -> Any:
    if line.event is not None:
        return presentable(_as_message(line.event))
    if line.message.quarantined is not None:
        return presentable(line.message.quarantined.payload)
    return line.message.payload


def _as_message(event: Event) -> dict[str, Any]:
    """A stored event in the words of a message, with what was made of it."""
    fields = (
        "kind", "name", "message_id", "anonymous_id", "user_id", "occurred_at", "sent_at",
        "url", "path", "referrer", "title", "user_agent", "properties", "context",
    )  # fmt: skip
    said = {name: getattr(event, name) for name in fields}
    for name in ("occurred_at", "sent_at"):
        said[name] = said[name] and said[name].isoformat()
    return {name: value for name, value in said.items() if value not in ("", None, {})}


def _events_of(source_id: int, messages: Iterable[InspectedMessage]) -> dict[str, Event]:
    ids: Sequence[str] = [
        message.message_id
        for message in messages
        if message.outcome in (Outcome.ACCEPTED, Outcome.DUPLICATE) or message.mended_at
    ]
    events = Event.objects.filter(source_id=source_id, message_id__in=ids)
    return {event.message_id: event for event in events}
