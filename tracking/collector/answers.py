"""What the tracking API answers, byte by byte."""

from __future__ import annotations

import base64
import json
from typing import Any

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")

_ANYWHERE = (b"access-control-allow-origin", b"*")
# Without it a script of another origin cannot read when to come again.
_READABLE = (b"access-control-expose-headers", b"retry-after")
_NEVER_KEPT = (b"cache-control", b"no-store")
_JSON = (b"content-type", b"application/json")
_PREFLIGHT = [
    _ANYWHERE,
    (b"access-control-allow-methods", b"GET, POST, OPTIONS"),
    (
        b"access-control-allow-headers",
        b"authorization, content-type, content-encoding, x-retry-count",
    ),
    (b"access-control-max-age", b"86400"),
]
_SENTENCES = {
    400: "Nothing in this request can be stored.",
    401: "The write key is missing, unknown or revoked.",
    403: "The write key is not for this website or this path, or the browser asks not to be"
    " tracked; see the reason.",
    404: "There is nothing at this address.",
    405: "This address does not take this method.",
    408: "The request did not arrive in time.",
    413: "The request is too large.",
    429: "More is sent than is taken at this moment; come again.",
    503: "The database does not answer; come again.",
}
_CODES = {
    400: "invalid_request",
    401: "invalid_write_key",
    403: "not_allowed",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    413: "too_large",
    429: "overloaded",
    503: "unavailable",
}
_SENTENCES_OF_CODES = {"unknown_host": "This host name is none of the product's."}
_OK = b'{"success": true}'


async def accept(send, left_out: list[tuple[int, str]] | None = None) -> None:
    """200: everything else is stored; names the messages left out."""
    body = _OK
    if left_out:
        body = as_json({"success": True, "rejected": _listed(left_out)})
    await answer(send, 200, body)


async def refuse(
    send,
    status: int,
    *,
    left_out: list[tuple[int, str]] | None = None,
    retry_after: int | None = None,
    close: bool = False,
    code: str = "",
) -> None:
    """An error in the shape that Segment's libraries read; `retry_after` in seconds."""
    sentence = _SENTENCES_OF_CODES.get(code, _SENTENCES[status])
    document = {"success": False, "code": code or _CODES[status], "message": sentence}
    if left_out:
        document["rejected"] = _listed(left_out)
    extra = []
    if retry_after is not None:
        extra += [(b"retry-after", str(retry_after).encode()), _READABLE]
    if close:
        extra.append((b"connection", b"close"))
    await answer(send, status, as_json(document), *extra)


async def answer(
    send, status: int, body: bytes, *extra: tuple[bytes, bytes], kind: bytes = b"application/json"
) -> None:
    headers = [
        _JSON if kind == b"application/json" else (b"content-type", kind),
        (b"content-length", str(len(body)).encode()),
        _ANYWHERE,
        _NEVER_KEPT,
        *extra,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def picture(send, status: int) -> None:
    """The pixel, whatever the status: mail programs show no broken picture."""
    extra = [(b"retry-after", b"2")] if status in (429, 503) else []
    await answer(send, status, GIF, *extra, kind=b"image/gif")


async def preflight(send) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": _PREFLIGHT})
    await send({"type": "http.response.body", "body": b""})


def settings(key: str, host: str, scheme: str) -> dict[str, Any]:
    """What Segment's browser library needs to know before it sends: where to, and nothing more.

    It loads no destination, applies no plan, and sends no figures about itself.
    """
    own = {"apiKey": key, "apiHost": f"{host}/v1", "protocol": scheme}
    return {
        "integrations": {"Segment.io": own},
        "plan": {"track": {"__default": {"enabled": True, "integrations": {}}}},
        "edgeFunction": {},
        "enabledMiddleware": {},
        "middlewareSettings": {},
        "metrics": {"sampleRate": 0},
        "remotePlugins": [],
    }


def _listed(left_out: list[tuple[int, str]]) -> list[dict[str, Any]]:
    return [{"index": index, "reason": reason} for index, reason in left_out[:100]]


def as_json(document: Any) -> bytes:
    return json.dumps(document).encode()
