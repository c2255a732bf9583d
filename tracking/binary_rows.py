"""Prepared rows as PostgreSQL's binary COPY takes them: nothing to escape, nothing to parse.

Every field is its length in four bytes and then its content; numbers are big-endian, instants
count microseconds since 2000, and jsonb is a version byte before the text of the document.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any

import orjson

_TEXTS = (
    "message_id", "kind", "name", "anonymous_id", "user_id", "url", "path", "referrer", "title",
    "user_agent",
)  # fmt: skip
_FIXED = ("id", "source_id", "received_at", "occurred_at", "is_trusted", "verdict")
COLUMNS = (*_FIXED, "sent_at", *_TEXTS, "properties", "context", "verdict_signals")

STRETCH = 500  # rows; a few milliseconds

_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)  # no flags, no extension
_END = b"\xff\xff"
_NULL = b"\xff\xff\xff\xff"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TYPE_OF_TEXT = 25  # its object id in every PostgreSQL

_pack_fixed = struct.Struct("!h iq iq iq iq i? ih".replace(" ", "")).pack
_pack_instant = struct.Struct("!iq").pack
_pack_array = struct.Struct("!iiiii").pack
_texts_of = itemgetter(*_TEXTS)
_EMPTY_ARRAY = struct.pack("!iiii", 12, 0, 0, _TYPE_OF_TEXT)


def encode(numbered: Iterable[tuple[int, dict]], received_at: datetime) -> Iterator[bytes]:
    """The data of COPY tracking_event (COLUMNS) FROM STDIN (FORMAT binary), STRETCH rows at once.

    `numbered` are ids with prepared rows, as ingest.prepare makes them. What is said to have
    happened later than `received_at`, the database's clock, happened then. Raises ValueError
    when a text is no Unicode, TypeError when a document is no JSON.
    """
    out, packed_texts = [_HEAD], _PackedTexts()
    received = _microseconds(received_at)
    context, packed = None, b""
    for place, (number, row) in enumerate(numbered, start=1):
        occurred = min(_microseconds(row["occurred_at"]), received)
        out.append(
            _pack_fixed(
                len(COLUMNS), 8, number, 8, row["source_id"], 8, received, 8, occurred,
                1, row["is_trusted"], 2, row["verdict"],
            )
        )  # fmt: skip
        sent_at = row["sent_at"]
        out.append(_NULL if sent_at is None else _pack_instant(8, _microseconds(sent_at)))
        out += map(packed_texts.__getitem__, _texts_of(row))
        out.append(_document(row["properties"]))
        if row["context"] is not context:  # rows of one request mostly share theirs
            context = row["context"]
            packed = _document(context)
        out += (packed, _array(row["verdict_signals"]))
        if place % STRETCH == 0:
            yield b"".join(out)
            out.clear()
    yield b"".join([*out, _END])


class _PackedTexts(dict[str, bytes]):
    """Texts as fields; most come again in the next row: kinds, user agents, pages, nothing."""

    def __missing__(self, text: str) -> bytes:
        data = text.encode()
        packed = self[text] = len(data).to_bytes(4) + data
        return packed


def _microseconds(instant: datetime) -> int:
    return (instant - _EPOCH) // _MICROSECOND


def _document(document: Any) -> bytes:
    data = orjson.dumps(document)
    return (len(data) + 1).to_bytes(4) + b"\x01" + data


def _array(texts: list[str]) -> bytes:
    if not texts:
        return _EMPTY_ARRAY
    items = b"".join([len(data).to_bytes(4) + data for data in map(str.encode, texts)])
    # One dimension, no nulls, so many items counted from 1.
    packed = _pack_array(1, 0, _TYPE_OF_TEXT, len(texts), 1) + items
    return len(packed).to_bytes(4) + packed
