"""What surrounds a message: the request that brought it, and the context that came with it.

The messages of a batch mostly come with the same context, word for word. It is cleaned, and
judged, once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from tracking.addresses import shorten_addresses, shorten_ip
from tracking.clean import clean, clean_text
from tracking.staff_marks import is_staff_mark
from tracking.verdicts import Request, signals_of, weigh


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


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A context as it was read; messages share it, so nobody changes it.

    `context` is what is stored: without the page, the user agent and the address, but with the
    network of the address. `signals` and `verdict` hold for all but opened mails.
    """

    context: dict
    page: dict
    request: Request
    signals: list[str]
    verdict: int


class Contexts:
    """Reads the contexts of one request's messages; the one before is remembered."""

    def __init__(self, envelope: Envelope) -> None:
        self.envelope = envelope
        self._text: bytes | None = None
        self._last: Surroundings | None = None

    def read(self, raw: Any) -> Surroundings:
        """Compared as JSON, for in Python 1, 1.0 and true are the same."""
        try:
            text = orjson.dumps(raw)
        except TypeError:  # a whole number beyond 64 bits, half of a character, too deep
            return _read(raw, self.envelope)
        if self._last is None or text != self._text:
            self._text, self._last = text, _read(raw, self.envelope)
        return self._last


def _read(raw: Any, envelope: Envelope) -> Surroundings:
    """A server speaks for somebody else: what its own connection looks like says nothing."""
    context = clean(raw) if isinstance(raw, dict) else {}
    if envelope.context:
        context = {**envelope.context, **context}
    if "staff" in context and not envelope.is_trusted:
        _believe_marks_only(context, envelope.source_id)
    page = context.pop("page", None)
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
    if isinstance(context.get("traits"), dict):
        shorten_addresses(context["traits"])
    signals = signals_of(request, "", {}, context)
    page = page if isinstance(page, dict) else {}
    return Surroundings(context, page, request, signals, weigh(signals))


def _believe_marks_only(context: dict, source_id: int) -> None:
    """`staff` is true with the secret of our colleagues, which is not kept, and else nothing."""
    if is_staff_mark(source_id, context.pop("staff")):
        context["staff"] = True
