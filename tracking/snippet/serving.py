"""The addresses of the tracking snippet.

    /t.js              the newest, kept by browsers for an hour
    /t/<version>/t.js  this very one, kept for a year; any other version is answered with the
                       newest, so that a page which names an old one is still tracked

Raw ASGI: a page of somebody's website waits for nothing that Django does.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

SOURCE = Path(__file__).with_name("t.js")
_PLACE = re.compile(r"/t\.js|/t/([0-9a-f]{12})/t\.js")
_PINNED = b"public, max-age=31536000, immutable"
_NEWEST = b"public, max-age=3600, stale-while-revalidate=86400"
_ALWAYS = [
    (b"content-type", b"text/javascript; charset=utf-8"),
    (b"access-control-allow-origin", b"*"),
    (b"cross-origin-resource-policy", b"cross-origin"),
    (b"x-content-type-options", b"nosniff"),
    (b"vary", b"accept-encoding"),
]
# A text, or else a mark with the blanks around it; + and - may stand beside themselves.
_TEXT_OR_MARK = re.compile(
    r'("(?:[^"\\\n]|\\.)*"|`(?:[^`\\\n]|\\.)*`)|[ ]*([{}()\[\]=;,:?<>&|*!])[ ]*'
)
# After these a line's end never ends a statement; no text goes over several lines.
_NEEDLESS_END = re.compile(r"(?<=[{(,;])\n")


class Snippet(NamedTuple):
    """The script as it is served. `version` is 12 hexadecimal digits of its hash."""

    version: str
    plain: bytes
    packed: bytes

    @property
    def pinned_path(self) -> str:
        return f"/t/{self.version}/t.js"


@cache
def snippet() -> Snippet:
    """t.js without its comments and blanks."""
    lines = [_without_comment(line) for line in SOURCE.read_text("utf-8").splitlines()]
    joined = "\n".join(_TEXT_OR_MARK.sub(r"\1\2", line) for line in lines if line)
    body = _NEEDLESS_END.sub("", joined).encode()
    version = hashlib.sha256(body).hexdigest()[:12]
    return Snippet(version, body, gzip.compress(body, 9, mtime=0))


def serves(path: str) -> bool:
    """Whether an address is the snippet's."""
    return _PLACE.fullmatch(path) is not None


async def serve(scope, send) -> None:
    """Answer a request for an address that `serves` knows."""
    script = snippet()
    found = _PLACE.fullmatch(scope["path"])
    is_pinned = found is not None and found[1] == script.version
    headers = dict(scope["headers"])
    answer = [(b"cache-control", _PINNED if is_pinned else _NEWEST), *_ALWAYS]
    answer.append((b"etag", f'W/"{script.version}"'.encode()))
    if scope["method"] not in ("GET", "HEAD"):
        await _send(send, 405, [(b"allow", b"GET, HEAD")], b"")
    elif script.version.encode() in headers.get(b"if-none-match", b""):
        await _send(send, 304, answer, b"")
    elif b"gzip" in headers.get(b"accept-encoding", b""):
        await _send(send, 200, [*answer, (b"content-encoding", b"gzip")], script.packed)
    else:
        await _send(send, 200, answer, script.plain)


async def _send(send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    if status != 304:
        headers = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _without_comment(line: str) -> str:
    code = line.strip()
    return "" if code.startswith("//") else re.sub(r"; //.*", ";", code)
