"""What keeps slow, endless and half-open clients from holding up anybody else.

`PatientProtocol` gives every request a time within which its headers must arrive;
uvicorn is started with `--http funnel_app.slow_clients:PatientProtocol`. `Buffered`
reads a page's request body in the event loop before Django gets a thread for it.
"""

from __future__ import annotations

import asyncio
import tempfile
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_SECONDS = 10.0  # from the first byte, or the opening of the connection, to the last header
IDLE_SECONDS = 10.0  # between two pieces of a body
BODY_SECONDS = 120.0  # for a whole body
LARGEST_FORM = 2_500_000  # bytes; Django's own limit for what is not a file
LARGEST_UPLOAD = 64_000_000  # bytes of a form with files
IN_MEMORY = 256_000  # bytes of a body kept in memory; more goes to a temporary file
PIECE = 1_000_000  # bytes


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol with a limit on the time that headers may take."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect_headers()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect_headers()

    def on_headers_complete(self) -> None:
        self._stop_waiting()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _expect_headers(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEADER_SECONDS, self._hang_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _hang_up(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()


class Buffered:
    """ASGI middleware: hands a request on when its whole body is here, or refuses it."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope, receive, send) -> None:
        if not scope["query_string"].isascii():
            await _refuse(send, 400, b"Bad request")
            return
        headers = dict(scope["headers"])
        is_upload = headers.get(b"content-type", b"").startswith(b"multipart/")
        largest = LARGEST_UPLOAD if is_upload else LARGEST_FORM
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or int(declared) > largest:
            await _refuse(send, 413, b"Too large")
            return
        with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
            try:
                async with asyncio.timeout(BODY_SECONDS):
                    is_whole = await _fill(file, receive, largest)
            except TimeoutError:
                await _refuse(send, 408, b"Too slow")
                return
            except OverflowError:
                await _refuse(send, 413, b"Too large")
                return
            if is_whole:
                await self.application(_without_lookalikes(scope), _replay(file, receive), send)


async def _fill(file: Any, receive, largest: int) -> bool:
    """Read the body into the file; False when the client hung up.

    Raises TimeoutError or OverflowError.
    """
    size, more = 0, True
    while more:
        async with asyncio.timeout(IDLE_SECONDS):
            message = await receive()
        if message["type"] == "http.disconnect":
            return False
        piece = message.get("body", b"")
        size += len(piece)
        if size > largest:
            raise OverflowError
        file.write(piece)
        more = message.get("more_body", False)
    file.seek(0)
    return True


def _replay(file: Any, receive):
    """A `receive` that gives the buffered body, then what the client does next."""
    is_over = False

    async def replay() -> dict:
        nonlocal is_over
        if is_over:
            return await receive()
        piece = file.read(PIECE)
        is_over = len(piece) < PIECE
        return {"type": "http.request", "body": piece, "more_body": not is_over}

    return replay


def _without_lookalikes(scope):
    """WSGI cannot tell `X_Forwarded_Proto` from `X-Forwarded-Proto`, so drop the former."""
    if any(b"_" in name for name, _value in scope["headers"]):
        headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
        return {**scope, "headers": headers}
    return scope


async def _refuse(send, status: int, sentence: bytes) -> None:
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(sentence)).encode()),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": sentence})
