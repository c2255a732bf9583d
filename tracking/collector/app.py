"""The addresses of the tracking API and what each of them answers.

Every 2xx is given after the commit. Documented in docs/events.md.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

from tracking.clean import clean
from tracking.collector import answers, bodies
from tracking.collector.database import DatabaseAway, Link
from tracking.collector.gate import Gate, NotAllowed, TooFast, fitting, is_ours
from tracking.collector.keys import KeyRing, Sender
from tracking.collector.notebook import Notebook
from tracking.collector.reading import (
    Harvest,
    harvest_batch,
    harvest_one,
    key_in_header,
    parse,
    read_pixel,
)
from tracking.collector.turnaways import Turnaways
from tracking.collector.writer import QueueFull, Submission, Writer
from tracking.ingest import Dropped, Envelope
from tracking.steps import Reason

log = logging.getLogger(__name__)

CALLS = {
    "batch": "batch", "b": "batch", "import": "batch",
    "track": "track", "t": "track", "identify": "identify", "i": "identify",
    "page": "page", "p": "page", "screen": "screen", "s": "screen",
    "group": "group", "g": "group", "alias": "alias", "a": "alias",
}  # fmt: skip
PIXELS = frozenset({"pixel.gif", *(f"pixel/{call}" for call in CALLS if call != "batch")})
RETRY_SECONDS = 2
# Headers by which browsers say that nobody may ever look at what they fetch.
PURPOSES = (b"sec-purpose", b"purpose", b"x-purpose", b"x-moz")


class UnknownKey(Exception):
    """401: the request is not signed, or with a key that nobody has. `reason` says which."""

    def __init__(self, reason: str = "unknown_key") -> None:
        super().__init__(reason)
        self.reason = reason


class Collector:
    """The ASGI application under /v1/. One per process."""

    def __init__(self) -> None:
        self.keys = KeyRing()
        self.gate = Gate()
        self.notebook = Notebook()
        self.turnaways = Turnaways()
        self.writer = Writer()
        self.status_link = Link()
        # Requests that the last-resort guard had to answer: a bug each, so hold it at 0.
        self.guarded = 0
        self._is_started = False

    def start(self) -> None:
        """Begin to write; must be called within the event loop."""
        if not self._is_started:
            self._is_started = True
            self.writer.start()
            self.turnaways.start()

    async def stop(self) -> None:
        """Store what has been taken in, then hang up."""
        await self.writer.stop()
        await self.turnaways.stop()
        await self.keys.link.close()
        await self.status_link.close()

    async def __call__(self, scope, receive, send) -> None:
        self.start()
        try:
            await self._route(scope, receive, send)
        except bodies.Gone:
            return
        except UnknownKey as error:
            self.turnaways.note(error.reason)
            await answers.refuse(send, 401)
        except DatabaseAway:
            self.turnaways.note("unavailable")
            await answers.refuse(send, 503, retry_after=RETRY_SECONDS)
        except QueueFull:
            self.turnaways.note("overloaded")
            await answers.refuse(send, 429, retry_after=RETRY_SECONDS)
        except TooFast as error:
            self.turnaways.note("rate_limited", error.sender.source_id)
            await answers.refuse(send, 429, retry_after=error.seconds, code="rate_limited")
        except (ValueError, TypeError, RecursionError):
            self.guarded += 1
            log.exception("A request to %s got past the clean-up.", scope["path"])
            await answers.refuse(send, 400)

    async def _route(self, scope, receive, send) -> None:
        place = _place(scope)
        if scope["method"] == "OPTIONS":
            await answers.preflight(send)
        elif place in CALLS:
            await self._take_in(CALLS[place], scope, receive, send)
        elif place in PIXELS and scope["method"] in ("GET", "HEAD"):
            await self._pixel(scope, send)
        elif place.startswith("projects/") and place.endswith("/settings"):
            await self._settings(place.split("/")[1], scope, send)
        else:
            await answers.refuse(send, 404)

    async def _take_in(self, call: str, scope, receive, send) -> None:
        if scope["method"] != "POST":
            await answers.refuse(send, 405)
            return
        headers = dict(scope["headers"])
        try:
            document, size = await _read(call, receive, headers)
        except bodies.TooSlow:
            await answers.refuse(send, 408, close=True)
        except bodies.TooLarge as error:
            sender = await self._sender(headers, None)
            await self._reject(sender, "too_large", send, 413, close=not error.is_read)
        except Dropped as drop:
            await self._reject(await self._sender(headers, None), drop.reason, send)
        else:
            sender = await self._sender(headers, document)
            await self._store(sender, call, document, size, scope, headers, send)

    async def _sender(self, headers: dict[bytes, bytes], document: Any) -> Sender | None:
        """Who signed the request, in its header or else in its body. Raises UnknownKey."""
        key: Any = key_in_header(headers.get(b"authorization", b""))
        if not key and isinstance(document, dict):
            key = document.get("writeKey")
        if not key or not isinstance(key, str):
            return None
        sender = await self.keys.find(key)
        if sender is None:
            raise UnknownKey
        return sender

    async def _store(
        self, sender: Sender | None, call: str, document: Any, size: int, scope, headers, send
    ) -> None:
        if sender is None:
            raise UnknownKey("no_key")
        if sender.origins:
            send = fitting(send, headers.get(b"origin", b""))
        try:
            self.gate.check(sender, _place(scope), headers)
            self.gate.take(sender, _count(call, document))
            if call == "batch":
                envelope = make_envelope(sender, "", document, scope, headers)
                harvest = await harvest_batch(document, envelope, size)
            else:
                harvest = harvest_one(document, make_envelope(sender, call, None, scope, headers))
        except NotAllowed as error:
            await self._reject(sender, error.reason, send, 403)
            return
        except Dropped as drop:
            status = 413 if drop.reason == Reason.TOO_MANY else 400
            await self._reject(sender, drop.reason, send, status)
            return
        await self._write(sender, call, harvest, size, document)
        if harvest.left_out and not harvest.rows:
            is_too_large = all(reason == "too_large" for _index, reason in harvest.left_out)
            await answers.refuse(send, 413 if is_too_large else 400, left_out=harvest.left_out)
        else:
            await answers.accept(send, harvest.left_out)

    async def _write(
        self, sender: Sender, call: str, harvest: Harvest, size: int, document: Any = None
    ) -> None:
        if harvest.rows or harvest.left_out:
            notes = self.notebook.take(sender, call, harvest, document)
            await self.writer.store(
                Submission(harvest.rows, harvest.rejects(sender.source_id), size + 500, notes)
            )

    async def _reject(
        self, sender: Sender | None, reason: str, send, status: int = 400, *, close: bool = False
    ) -> None:
        """Refuse a whole request, which counts as one message of its source."""
        left_out = [(0, reason)]
        if sender is not None:
            await self._write(sender, "", Harvest(left_out=left_out), 0)
        await answers.refuse(send, status, left_out=left_out, close=close)

    async def _pixel(self, scope, send) -> None:
        headers = dict(scope["headers"])
        try:
            message, key = read_pixel(scope["query_string"])
        except Dropped:
            await answers.picture(send, 400)
            return
        try:
            status = await self._take_picture(message, key, scope, headers)
        except TooFast as error:
            self.turnaways.note("rate_limited", error.sender.source_id)
            status = 429
        except DatabaseAway:
            self.turnaways.note("unavailable")
            status = 503
        except QueueFull:
            self.turnaways.note("overloaded")
            status = 429
        await answers.picture(send, status)

    async def _take_picture(self, message: dict, key: str, scope, headers) -> int:
        """Store what a picture's address says; returns the status of the answer."""
        sender = await self.keys.find(key) if key else None
        if sender is None:
            self.turnaways.note("unknown_key" if key else "no_key")
            return 401
        try:
            self.gate.check_picture(sender, headers)
        except NotAllowed as error:
            await self._write(sender, "pixel", Harvest(left_out=[(0, error.reason)]), 0)
            return 403
        self.gate.take(sender, 1)
        call = scope["path"].rstrip("/").rpartition("/")[2]
        envelope = make_envelope(sender, CALLS.get(call, ""), None, scope, headers)
        harvest = harvest_one(message, envelope)
        await self._write(sender, "pixel", harvest, 500, message)
        return 200 if harvest.rows else 400

    async def _settings(self, key: str, scope, send) -> None:
        """What Segment's browser library asks for before it sends anything.

        Not for secret keys: they belong on servers, and the answer repeats the key. It repeats
        the host, too, so only one of ours; other calls repeat nothing and take any.
        """
        sender = await self.keys.find(key)
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        if sender is None or sender.is_trusted:
            await answers.refuse(send, 404)
        elif not is_ours(host):
            await answers.refuse(send, 400, code="unknown_host")
        else:
            document = answers.settings(key, host, scope.get("scheme", "http"))
            await answers.answer(send, 200, answers.as_json(document))


async def _read(call: str, receive, headers: dict[bytes, bytes]) -> tuple[Any, int]:
    """The JSON of the body and its size in bytes. Raises Dropped and what read_body raises."""
    largest = bodies.LARGEST_BATCH if call == "batch" else bodies.LARGEST_EVENT
    body = await bodies.read_body(receive, headers, largest)
    return parse(body), len(body)


def _place(scope) -> str:
    """What stands behind /v1/ in the address."""
    return scope["path"][4:].rstrip("/")


def _count(call: str, document: Any) -> int:
    """How many messages a body holds."""
    if call != "batch":
        return 1
    messages = document.get("batch") if isinstance(document, dict) else document
    return max(1, len(messages)) if isinstance(messages, list) else 1


def make_envelope(sender: Sender, call: str, batch: Any, scope, headers) -> Envelope:
    """What is true of all messages of this request; `batch` is the body of a batch."""
    shared = batch if isinstance(batch, dict) else {}
    context = shared.get("context")
    client = scope.get("client")
    purpose = b" ".join(headers.get(name, b"") for name in PURPOSES).lower()
    return Envelope(
        source_id=sender.source_id,
        is_trusted=sender.is_trusted,
        received_at=datetime.now(UTC),
        call=call,
        sent_at=shared.get("sentAt") or shared.get("sent_at"),
        user_agent=headers.get(b"user-agent", b"").decode("latin-1")[:500],
        ip=client[0] if client else "",
        method=scope["method"],
        is_prefetch=b"prefetch" in purpose or b"prerender" in purpose,
        context=clean(context) if isinstance(context, dict) else None,
    )
