"""Reading a request's body: no larger, no slower and no more inflated than agreed."""

from __future__ import annotations

import asyncio
import zlib

from tracking.ingest import Dropped

LARGEST_EVENT = 32 * 1024  # bytes of one message
LARGEST_BATCH = 500 * 1024  # bytes of one request, unpacked
READ_SECONDS = 10.0  # for the whole body
# A sender that is a little over the limit hears so; one that is far over is cut off.
LARGEST_SWALLOWED = 4 * LARGEST_BATCH
# Parts packed one by one and strung together; each copies what is left, so they are few.
MOST_MEMBERS = 100


class TooLarge(Exception):
    """413. `is_read`: the body was read to its end, so the connection can live on."""

    def __init__(self, *, is_read: bool) -> None:
        super().__init__("too large")
        self.is_read = is_read


class TooSlow(Exception):
    """408: the body did not arrive in time."""


class Gone(Exception):
    """The sender hung up; there is nobody to answer."""


async def read_body(receive, headers: dict[bytes, bytes], largest: int) -> bytes:
    """The whole body, unpacked, of at most `largest` bytes.

    Raises the exceptions above, or Dropped when it is not packed as it says.
    """
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > LARGEST_SWALLOWED:
        raise TooLarge(is_read=False)
    try:
        async with asyncio.timeout(READ_SECONDS):
            body = await _collect(receive, largest)
    except TimeoutError:
        raise TooSlow from None
    return _unpack(body, headers.get(b"content-encoding", b""), largest)


async def _collect(receive, largest: int) -> bytes:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Gone
    body = message.get("body", b"")
    if not message.get("more_body"):
        if len(body) > largest:
            raise TooLarge(is_read=True)
        return body
    return await _collect_rest(receive, bytearray(body), largest)


async def _collect_rest(receive, body: bytearray, largest: int) -> bytes:
    size, more = len(body), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        size += len(message.get("body", b""))
        if size > LARGEST_SWALLOWED:
            raise TooLarge(is_read=False)
        if size <= largest:
            body += message.get("body", b"")
        more = message.get("more_body", False)
    if size > largest:
        raise TooLarge(is_read=True)
    return bytes(body)


def _unpack(body: bytes, encoding: bytes, largest: int) -> bytes:
    encoding = encoding.strip().lower()
    if encoding in (b"", b"identity"):
        return body
    if encoding not in (b"gzip", b"x-gzip"):
        raise Dropped("bad_encoding")
    parts: list[bytes] = []
    left = largest
    for _member in range(MOST_MEMBERS):
        plain, body = _unpack_member(body, left)
        parts.append(plain)
        left -= len(plain)
        if not body:
            return b"".join(parts)
    raise Dropped("bad_encoding")


def _unpack_member(packed: bytes, largest: int) -> tuple[bytes, bytes]:
    """The first of the members that gzip strings together, and what follows it."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        plain = unpacker.decompress(packed, largest + 1)
    except zlib.error:
        raise Dropped("bad_encoding") from None
    if len(plain) > largest:
        raise TooLarge(is_read=True)
    if not unpacker.eof:
        raise Dropped("bad_encoding")
    # Zeros at the end are padding, as gzip itself has it.
    return plain, unpacker.unused_data.lstrip(b"\0")
