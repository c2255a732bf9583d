"""From one message of a sender to one row that can be stored: the steps of steps.MESSAGE.

A step that cannot go on raises Dropped with a Reason. Nothing in here touches the
database or the network.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tracking.addresses import shorten_addresses
from tracking.claims import email_in
from tracking.clean import clean, clean_text
from tracking.clocks import settle
from tracking.events import NOT_OF_BROWSERS, kind_of
from tracking.models import LONGEST_ID
from tracking.steps import Dropped, Reason
from tracking.surroundings import Contexts, Envelope, Surroundings
from tracking.verdicts import signals_of, weigh

CALLS = frozenset({"track", "identify", "page", "screen", "group", "alias"})
LONGEST_NAME = 200  # characters

# What sloppy templates send instead of nothing; believing it would make one person of many.
NOBODY = frozenset({"", "null", "undefined", "none", "nan", "[object object]", "0"})
_LONGEST_NOBODY = max(map(len, NOBODY))
_PLACE = ("url", "path", "referrer", "title")
# Who opens a mail is judged by what the mail's sender says; a browser's hearsay is none of it.
_JUDGED_BY_KIND = {"email_opened"} | NOT_OF_BROWSERS
_PATH = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*([^?#]*)")

Row = dict[str, Any]


@dataclass(slots=True)
class Draft:
    """A message on its way to a row; each step adds to it."""

    message: dict
    envelope: Envelope
    contexts: Contexts
    around: Surroundings = field(init=False)
    call: str = ""
    said: dict = field(default_factory=dict)  # properties, or traits
    row: Row = field(default_factory=dict)


def prepare(message: Any, envelope: Envelope, contexts: Contexts | None = None) -> Row:
    """The row of tracking_event (see storing.COLUMNS) that a message means. Raises Dropped.

    Instants are datetimes. `contexts` of one request are read together; the rows share them.
    """
    if not isinstance(message, dict):
        raise Dropped(Reason.NOT_AN_OBJECT)
    draft = Draft(message, envelope, contexts or Contexts(envelope))
    for step in _STEPS:
        step(draft)
    row = draft.row
    row["source_id"] = envelope.source_id
    row["is_trusted"] = envelope.is_trusted
    row["properties"], row["context"] = draft.said, draft.around.context
    return row


def message_id_of(message: Any) -> str:
    """The id that a message gives itself; "" when it has none."""
    if not isinstance(message, dict):
        return ""
    return _id(_either(message, "messageId", "message_id"))


def _find_call(draft: Draft) -> None:
    call = draft.envelope.call or _either(draft.message, "type", "action")
    if not isinstance(call, str) or call not in CALLS:
        raise Dropped(Reason.UNKNOWN_TYPE)
    draft.call = call


def _clean(draft: Draft) -> None:
    """The properties (of an identify or group call, the traits) and the context."""
    message = draft.message
    raw = message.get("traits" if draft.call in ("identify", "group") else "properties")
    said = draft.said = clean(raw) if isinstance(raw, dict) else {}
    shorten_addresses(said)
    for camel, snake in (("groupId", "group_id"), ("previousId", "previous_id")):
        named = _either(message, camel, snake)
        if named is not None:
            said[snake] = _id(named)
    draft.around = draft.contexts.read(message.get("context"))


def _find_name(draft: Draft) -> None:
    is_track = draft.call == "track"
    name = clean_text(draft.message.get("event" if is_track else "name"), LONGEST_NAME).strip()
    if not name and is_track:
        raise Dropped(Reason.NO_EVENT_NAME)
    draft.row["name"] = name


def _find_identity(draft: Draft) -> None:
    message, row = draft.message, draft.row
    row["message_id"] = message_id_of(message) or str(uuid.uuid4())
    row["anonymous_id"] = _person(_either(message, "anonymousId", "anonymous_id"))
    row["user_id"] = _person(_either(message, "userId", "user_id"))
    if not (row["anonymous_id"] or row["user_id"] or email_in(draft.said, draft.around.context)):
        raise Dropped(Reason.NO_IDENTITY)


def _find_place(draft: Draft) -> None:
    """URL, path, referrer and title: of the page around the event, or of the page viewed."""
    row, said, page = draft.row, draft.said, draft.around.page
    is_view = draft.call in ("page", "screen")
    for part in _PLACE:
        value = (said.pop(part, None) or page.get(part)) if is_view else page.get(part)
        row[part] = value if type(value) is str else ""
    if not row["path"] and row["url"]:
        found = _PATH.match(row["url"])
        row["path"] = (found.group(1) or "/") if found else ""
    row["kind"] = kind_of(draft.call, row["name"], row["path"])


def _find_time(draft: Draft) -> None:
    message, envelope = draft.message, draft.envelope
    said_at = _either(message, "originalTimestamp", "original_timestamp")
    if said_at is None:
        said_at = message.get("timestamp")
    sent_at = _either(message, "sentAt", "sent_at")
    instants = settle(
        said_at,
        envelope.sent_at if sent_at is None else sent_at,
        envelope.received_at,
        is_trusted=envelope.is_trusted,
    )
    draft.row["occurred_at"], draft.row["sent_at"] = instants


def _find_device(draft: Draft) -> None:
    """User agent and verdict. Some kinds are judged by what they tell, too."""
    row, around = draft.row, draft.around
    row["user_agent"] = around.request.user_agent
    row["verdict"], row["verdict_signals"] = around.verdict, around.signals
    if row["kind"] in _JUDGED_BY_KIND:
        signals = signals_of(around.request, row["kind"], draft.said, around.context)
        row["verdict"], row["verdict_signals"] = weigh(signals), signals


# What each step of steps.MESSAGE does, in that order.
DOES: dict[str, Callable[[Draft], None]] = {
    "call": _find_call,
    "clean": _clean,
    "name": _find_name,
    "identity": _find_identity,
    "place": _find_place,
    "time": _find_time,
    "device": _find_device,
}
_STEPS = tuple(DOES.values())


def _either(message: dict, camel: str, snake: str) -> Any:
    value = message.get(camel)
    return message.get(snake) if value is None else value


def _person(value: Any) -> str:
    text = _id(value)
    return "" if len(text) <= _LONGEST_NOBODY and text.lower() in NOBODY else text


def _id(value: Any) -> str:
    """An id of at most LONGEST_ID characters; a longer one becomes its hash and stays unique."""
    if type(value) is str and len(value) <= LONGEST_ID and value.isprintable():
        return value.strip()
    text = clean_text(value, 4 * LONGEST_ID).strip()
    if len(text) <= LONGEST_ID:
        return text
    return f"sha256:{hashlib.sha256(str(value).encode('utf-8', 'replace')).hexdigest()}"
