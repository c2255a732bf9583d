"""What a key is good for: from which websites, for which paths, how much a second. Whom
nobody may follow: browsers that say so. And which hosts are ours.

Everything here is remembered per process: with n web processes a key gets up to n times
its rate. What it keeps out is a sender gone wild, not a bill.
"""

from __future__ import annotations

import math
import time

from django.conf import settings
from django.http.request import split_domain_port, validate_host

from tracking.collector.keys import Sender
from tracking.origins import is_allowed, origin_of

# The path of a secret key's request → the scope it needs; all others need "events".
_SCOPES = {"import": "history"}
# Headers by which a browser says for its person that nobody may follow them.
_NOES = (b"sec-gpc", b"dnt")
_ALLOW = b"access-control-allow-origin"


class NotAllowed(Exception):
    """403: the key is valid, but not for this. `reason` is one of steps.Reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class TooFast(Exception):
    """429: more than the key's rate; `seconds` until the next message is taken."""

    def __init__(self, sender: Sender, seconds: int) -> None:
        super().__init__(f"Come again in {seconds} s.")
        self.sender = sender
        self.seconds = seconds


class Bucket:
    """Fills at a rate, up to a size. A batch may take more than is in it, and leave a debt."""

    def __init__(self, per_second: float, size: float, now: float) -> None:
        self.per_second, self.size = per_second, size
        self._level, self._at = size, now

    def take(self, count: int, now: float) -> float:
        """Take `count`. Returns 0, or how many seconds to wait when it is empty."""
        self._fill(now)
        if self._level < 1:
            return (1 - self._level) / self.per_second
        self._level -= count
        return 0.0

    def left(self, now: float) -> int:
        """How much can be taken without debt."""
        self._fill(now)
        return max(0, int(self._level))

    def _fill(self, now: float) -> None:
        self._level = min(self.size, self._level + (now - self._at) * self.per_second)
        self._at = now


class Gate:
    """Checks what a request's key is good for, before anything is read out of its messages."""

    def __init__(self) -> None:
        self._buckets: dict[int, Bucket] = {}  # by key id

    def check(self, sender: Sender, path: str, headers: dict[bytes, bytes]) -> None:
        """Raises NotAllowed when origin or path do not fit, or the browser asks not to be followed.

        `path` as in /v1/<path>. A server speaks for others: its own headers say nothing of them.
        """
        if sender.is_trusted:
            if _SCOPES.get(path, "events") not in sender.scopes:
                raise NotAllowed("out_of_scope")
            return
        if sender.origins and not is_allowed(_origin(headers), sender.origins):
            raise NotAllowed("origin_not_allowed")
        _respect(headers)

    def check_picture(self, sender: Sender, headers: dict[bytes, bytes]) -> None:
        """The same for a pixel, which no browser signs with an origin: it may name a referrer.

        Mail programs name neither, and are let in. Raises NotAllowed.
        """
        if sender.is_trusted:
            if "events" not in sender.scopes:
                raise NotAllowed("out_of_scope")
            return
        if sender.origins:
            named = _origin(headers) or origin_of(headers.get(b"referer", b"").decode("latin-1"))
            if named and not is_allowed(named, sender.origins):
                raise NotAllowed("origin_not_allowed")
        _respect(headers)

    def take(self, sender: Sender, count: int) -> None:
        """Count messages against the key's rate. Raises TooFast."""
        if sender.per_second is None:
            return
        now = time.monotonic()
        size = float(sender.burst or sender.per_second)
        bucket = self._buckets.get(sender.key_id)
        if bucket is None or (bucket.per_second, bucket.size) != (sender.per_second, size):
            bucket = self._buckets[sender.key_id] = Bucket(sender.per_second, size, now)
        wait = bucket.take(count, now)
        if wait:
            raise TooFast(sender, math.ceil(wait))


def fitting(send, origin: bytes):
    """A `send` whose answers name the asking website instead of all the world.

    For keys with allowed origins. A website that is refused may read why, too: otherwise
    its script takes the refusal for a network that failed, and tries for ever.
    """

    async def send_fitting(message) -> None:
        if message["type"] == "http.response.start" and origin:
            others = [header for header in message["headers"] if header[0] != _ALLOW]
            message = {**message, "headers": [*others, (_ALLOW, origin), (b"vary", b"origin")]}
        await send(message)

    return send_fitting


def _respect(headers: dict[bytes, bytes]) -> None:
    """Global Privacy Control and Do Not Track are believed whatever client the page uses."""
    if any(headers.get(name, b"").strip() == b"1" for name in _NOES):
        raise NotAllowed("opted_out")


def _origin(headers: dict[bytes, bytes]) -> str:
    return headers.get(b"origin", b"").decode("latin-1")


def is_ours(host: str) -> bool:
    """Whether a Host header names one of ALLOWED_HOSTS."""
    domain, _port = split_domain_port(host)
    return bool(domain) and validate_host(domain, settings.ALLOWED_HOSTS)
