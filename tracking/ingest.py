"""From one message of a sender to one row that can be stored: a list of small steps.

    what call is it → who is it about → what is it named → where did it happen →
    when → what else was said → was it a machine

A step that cannot go on raises Dropped with one of the reasons in REASONS. Nothing
in here touches the database or the network.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from datetime import datetime
from typing import Any, NamedTuple

from tracking.addresses import shorten_ip
from tracking.claims import email_in
from tracking.clean import clean, clean_text
from tracking.clocks import settle
from tracking.events import kind_of
from tracking.models import LONGEST_ID
from tracking.verdicts import Request, signals_of, weigh

# Why a message was rejected: counted per source and shown on the Sources page.
REASONS = {
    "bad_json": "The body is not JSON.",
    "bad_encoding": "The body is not gzip as its Content-Encoding says, or is cut off.",
    "no_batch": "The body of a batch has no list named batch.",
    "not_an_object": "The message is not a JSON object.",
    "too_large": "The message is larger than 32 KB, or the request larger than 500 KB.",
    "unknown_type": "The type is none of track, identify, page, screen, group, alias.",
    "no_event_name": "A track message has no event name.",
    "no_identity": "There is no userId, anonymousId or e-mail address.",
}
CALLS = frozenset({"track", "identify", "page", "screen", "group", "alias"})
LONGEST_NAME = 200  # characters

# What sloppy templates send instead of nothing; believing it would make one person of many.
_NOBODY = frozenset({"", "null", "undefined", "none", "nan", "[object object]", "0"})
_PLACE = ("url", "path", "referrer", "title")
_PATH = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]*://[^/?#]*([^?#]*)")

Row = dict[str, Any]


class Dropped(Exception):
    """The message cannot be stored; `reason` is one of REASONS."""

    def __init__(self, reason: str) -> None:
        super().__init__(REASONS[reason])
        self.reason = reason


class Envelope(NamedTuple):
    """What is true of every message of one request. `call` is "" in a batch."""

    source_id: int
    is_trusted: bool
    received_at: datetime
    call: str = ""
    sent_at: Any = None
    user_agent: str = ""
    ip: str = ""
    method: str = "POST"
    is_prefetch: bool = False
    context: dict | None = None


def prepare(message: Any, envelope: Envelope) -> Row:
    """The row of tracking_event (see storing.COLUMNS) that a message means. Raises Dropped."""
    if not isinstance(message, dict):
        raise Dropped("not_an_object")
    call = _call(message, envelope)
    said = _said(message, call)
    context = _context(message, envelope)
    row: Row = {
        "source_id": envelope.source_id,
        "message_id": _id(_either(message, "messageId", "message_id")) or str(uuid.uuid4()),
        "anonymous_id": _person(_either(message, "anonymousId", "anonymous_id")),
        "user_id": _person(_either(message, "userId", "user_id")),
        "name": _name(message, call, said),
    }
    _require_identity(row, said, context)
    row |= _place(call, said, context.pop("page", None))
    row["kind"] = kind_of(call, row["name"], row["path"])
    row |= _times(message, envelope)
    row |= _device(row["kind"], said, context, envelope)
    row |= {"properties": said, "context": context, "is_trusted": envelope.is_trusted}
    return row


def _call(message: dict, envelope: Envelope) -> str:
    call = envelope.call or _either(message, "type", "action")
    if not isinstance(call, str) or call not in CALLS:
        raise Dropped("unknown_type")
    return call


def _said(message: dict, call: str) -> dict:
    """The properties; of an identify or group call, the traits."""
    key = "traits" if call in ("identify", "group") else "properties"
    raw = message.get(key)
    said = clean(raw) if isinstance(raw, dict) else {}
    for camel, snake in (("groupId", "group_id"), ("previousId", "previous_id")):
        named = _either(message, camel, snake)
        if named is not None:
            said[snake] = _id(named)
    return said


def _context(message: dict, envelope: Envelope) -> dict:
    raw = message.get("context")
    own = clean(raw) if isinstance(raw, dict) else {}
    return {**envelope.context, **own} if envelope.context else own


def _name(message: dict, call: str, said: dict) -> str:
    name = clean_text(message.get("event" if call == "track" else "name"), LONGEST_NAME).strip()
    if not name and call == "track":
        raise Dropped("no_event_name")
    return name


def _require_identity(row: Row, said: dict, context: dict) -> None:
    if not (row["anonymous_id"] or row["user_id"] or email_in(said, context)):
        raise Dropped("no_identity")


def _place(call: str, said: dict, page: Any) -> Row:
    """URL, path, referrer and title: of the page around the event, or of the page viewed."""
    page = page if isinstance(page, dict) else {}
    place = {part: page.get(part) for part in _PLACE}
    if call in ("page", "screen"):
        place = {part: said.pop(part, None) or place[part] for part in _PLACE}
    place = {part: value if type(value) is str else "" for part, value in place.items()}
    if not place["path"] and place["url"]:
        found = _PATH.match(place["url"])
        place["path"] = (found.group(1) or "/") if found else ""
    return place


def _times(message: dict, envelope: Envelope) -> Row:
    said_at = _either(message, "originalTimestamp", "original_timestamp")
    if said_at is None:
        said_at = message.get("timestamp")
    sent_at = _either(message, "sentAt", "sent_at")
    instants = settle(
        said_at, envelope.sent_at if sent_at is None else sent_at, envelope.received_at
    )
    return {
        "occurred_at": instants.occurred_at.isoformat(),
        "sent_at": instants.sent_at and instants.sent_at.isoformat(),
    }


def _device(kind: str, said: dict, context: dict, envelope: Envelope) -> Row:
    """User agent and verdict; leaves only the network of the IP address in the context.

    A server speaks for somebody else: what its own connection looks like says nothing.
    """
    request = Request(
        named=clean_text(context.pop("user_agent", None), 500),
        header=envelope.user_agent,
        method=envelope.method,
        is_prefetch=envelope.is_prefetch,
        is_trusted=envelope.is_trusted,
    )
    given = clean_text(context.pop("ip", None), 64)
    network = shorten_ip(given if envelope.is_trusted else envelope.ip)
    if network:
        context["ip"] = network
    signals = signals_of(request, kind, said, context)
    return {
        "user_agent": request.user_agent,
        "verdict": weigh(signals),
        "verdict_signals": signals,
    }


def _either(message: dict, camel: str, snake: str) -> Any:
    value = message.get(camel)
    return message.get(snake) if value is None else value


def _person(value: Any) -> str:
    text = _id(value)
    return "" if text.lower() in _NOBODY else text


def _id(value: Any) -> str:
    """An id of at most LONGEST_ID characters; a longer one becomes its hash and stays unique."""
    text = clean_text(value, 4 * LONGEST_ID).strip()
    if len(text) <= LONGEST_ID:
        return text
    return f"sha256:{hashlib.sha256(str(value).encode('utf-8', 'replace')).hexdigest()}"
