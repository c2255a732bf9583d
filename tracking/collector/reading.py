"""From the body of a request to prepared rows, and a reason for every message left out."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

import orjson

from tracking.clean import read_integer
from tracking.collector.bodies import LARGEST_EVENT
from tracking.ingest import Dropped, Envelope, Row, prepare
from tracking.surroundings import Contexts

# Of a batch; Segment's own limit. Every message costs time in which nobody else is served.
MOST_MESSAGES = 2_500
# So many are prepared at a stretch.
TURN = 100
# Query parameters of the pixel that belong to the message itself; all others are properties.
_PIXEL_FIELDS = {
    "type", "event", "name", "anonymousId", "anonymous_id", "userId", "user_id", "messageId",
    "message_id", "timestamp", "sentAt", "email", "writeKey", "data",
}  # fmt: skip


# Takes what orjson refuses: NaN, broken UTF-8, whole numbers of any length.
_DECODER = json.JSONDecoder(parse_int=read_integer)
# Nineteen digits in a row may be a number that orjson would round.
_DIGITS = bytes(48 if 48 <= byte <= 57 else 32 for byte in range(256))
_LONG_NUMBER = b"0" * 19


@dataclass(slots=True)
class Harvest:
    """What a request yields: rows to store, and (index, reason) of each message left out."""

    rows: list[dict] = field(default_factory=list)
    left_out: list[tuple[int, str]] = field(default_factory=list)

    def rejects(self, source_id: int) -> dict[tuple[int, str], int]:
        counts: dict[tuple[int, str], int] = {}
        for _index, reason in self.left_out:
            counts[source_id, reason] = counts.get((source_id, reason), 0) + 1
        return counts


def parse(body: bytes) -> Any:
    """The JSON of a body; broken UTF-8 in a text costs that text, not the whole request.

    Raises Dropped.
    """
    try:
        if _LONG_NUMBER not in body.translate(_DIGITS):
            return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass  # it may still be readable
    try:
        return _DECODER.decode(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        raise Dropped("bad_json") from None


def harvest_one(document: Any, envelope: Envelope) -> Harvest:
    """The rows of a body that is one message."""
    harvest = Harvest()
    _gather(harvest, [document], Contexts(envelope), is_small=True)
    return harvest


async def harvest_batch(document: Any, envelope: Envelope, size: int) -> Harvest:
    """The rows of a body {"batch": […]}, or of a bare list. `size` is that of the body.

    Lets other requests have their turn in between. Raises Dropped when there is no list, or
    one too long.
    """
    messages = document.get("batch") if isinstance(document, dict) else document
    if not isinstance(messages, list):
        raise Dropped("no_batch")
    if len(messages) > MOST_MESSAGES:
        raise Dropped("too_many")
    harvest, contexts = Harvest(), Contexts(envelope)
    for start in range(0, len(messages), TURN):
        if start:
            await asyncio.sleep(0)
        some = messages[start : start + TURN]
        _gather(harvest, some, contexts, first=start, is_small=size <= LARGEST_EVENT)
    _keep_order(harvest.rows)
    return harvest


def _gather(
    harvest: Harvest, messages: list, contexts: Contexts, *, first: int = 0, is_small: bool
) -> None:
    """Prepare messages; `first` is the place of the first one in its batch."""
    for index, message in enumerate(messages, start=first):
        try:
            if not is_small and _size(message) > LARGEST_EVENT:
                raise Dropped("too_large")
            harvest.rows.append(prepare(message, contexts.envelope, contexts))
        except Dropped as drop:
            harvest.left_out.append((index, drop.reason))
        except RecursionError:
            harvest.left_out.append((index, "bad_json"))


def _keep_order(rows: list[Row]) -> None:
    """Clients tell milliseconds, in which a page and a form fit. What a batch tells of one
    instant is put a microsecond apart, so that its order is never anybody's guess."""
    before = None
    shift = 0
    for row in rows:
        told = row["occurred_at"]
        shift = shift + 1 if told == before else 0
        before = told
        if shift:
            row["occurred_at"] = told + timedelta(microseconds=shift)


def _size(message: Any) -> int:
    """The bytes of a message within a batch."""
    try:
        return len(orjson.dumps(message))
    except TypeError:  # a whole number beyond 64 bits, or half of a character
        return len(json.dumps(message))


def read_pixel(query_string: bytes) -> tuple[dict, str]:
    """The message and the write key in the address of a pixel.

    Either `?data=<base64 of a JSON message>` or plain parameters. Raises Dropped.
    """
    pairs = parse_qsl(query_string.decode("utf-8", "replace"), max_num_fields=None)
    given = dict(pairs[:100])
    if "data" in given:
        message = parse(_decode_base64(given["data"]))
        if not isinstance(message, dict):
            raise Dropped("not_an_object")
    else:
        message = _pixel_message(given)
    key = given.get("writeKey") or message.get("writeKey")
    return message, key if isinstance(key, str) else ""


def _pixel_message(given: dict[str, str]) -> dict:
    message: dict[str, Any] = {k: v for k, v in given.items() if k in _PIXEL_FIELDS}
    message.setdefault("type", "track" if "event" in given else "page")
    message["properties"] = {k: v for k, v in given.items() if k not in _PIXEL_FIELDS}
    if "email" in given:
        message["properties"]["email"] = given["email"]
    return message


def _decode_base64(text: str) -> bytes:
    text = text.replace("-", "+").replace("_", "/").replace(" ", "+")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Dropped("bad_json") from None


@lru_cache(maxsize=1024)
def key_in_header(authorization: bytes) -> str:
    """The write key out of `Basic base64(key:)`, or out of `Bearer key`; "" when neither."""
    scheme, _space, rest = authorization.partition(b" ")
    if scheme.lower() == b"bearer":
        return rest.strip().decode("latin-1")
    if scheme.lower() != b"basic":
        return ""
    try:
        pair = base64.b64decode(rest.strip())
    except (binascii.Error, ValueError):
        return ""
    return pair.partition(b":")[0].decode("utf-8", "replace")
