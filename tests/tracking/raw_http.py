"""Requests as bytes, many at a time: what no client library would agree to send."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlsplit

from tests import event_loop

CONNECTIONS = 16
SECONDS = 30


class Request(NamedTuple):
    """`headers` are sent as they are, whatever is in them (but for line breaks)."""

    method: str
    path: str
    body: bytes = b""
    key: str = ""
    headers: tuple[tuple[str, bytes], ...] = ()

    def raw(self) -> bytes:
        lines = [f"{self.method} {self.path} HTTP/1.1".encode(), b"host: localhost"]
        if self.key:
            lines.append(b"authorization: Basic " + base64.b64encode(f"{self.key}:".encode()))
        lines += [name.encode() + b": " + value for name, value in self.headers]
        if self.body or self.method == "POST":
            lines.append(f"content-length: {len(self.body)}".encode())
        return b"\r\n".join(lines) + b"\r\n\r\n" + self.body


def send_all(url: str, requests: Sequence[Request]) -> list[int]:
    """The statuses of the answers, in the order of the requests."""
    return event_loop.run(_send_all(url, requests))


async def _send_all(url: str, requests: Sequence[Request]) -> list[int]:
    statuses = [0] * len(requests)
    waiting = iter(enumerate(requests))
    callers = [_call(url, waiting, statuses) for _ in range(CONNECTIONS)]
    await asyncio.gather(*callers)
    return statuses


async def _call(url: str, waiting, statuses: list[int]) -> None:
    place = urlsplit(url)
    line = None
    for number, request in waiting:
        line = line or await asyncio.open_connection(place.hostname, place.port)
        reader, writer = line
        async with asyncio.timeout(SECONDS):
            writer.write(request.raw())
            statuses[number], stays_open = await _read(reader, request.method)
        if not stays_open:
            writer.close()
            line = None
    if line:
        line[1].close()


async def _read(reader: asyncio.StreamReader, method: str) -> tuple[int, bool]:
    """Status, and whether another request may follow on this connection."""
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    status = int(head.split(b" ", 2)[1])
    length = head.partition(b"content-length:")[2].partition(b"\r")[0].strip()
    if length and method != "HEAD" and status not in (204, 304):
        await reader.readexactly(int(length))
    return status, b"connection: close" not in head and bool(length or status == 204)
