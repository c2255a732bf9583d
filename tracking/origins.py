"""Which websites may send with a public key: exact origins and wildcards of a domain.

https://www.example.com   exactly this scheme, host and port
*.example.com             every host below example.com (not itself), any scheme and port
www.example.com           this host, any scheme and port
"""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST_ORIGIN = 300  # characters
MOST_ORIGINS = 50  # of one key

_HOST = r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EXACT = re.compile(rf"https?://(?:{_HOST}|\[[0-9a-f:]+\])(?::\d{{1,5}})?")
_PATTERN = re.compile(rf"(?:\*\.)?{_HOST}")
_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://(\[[0-9a-f:.]+\]|[^/:@\[\]]+)(?::(\d{1,5}))?")
_USUAL_PORTS = {"http": "80", "https": "443"}


def read_pattern(text: str) -> str:
    """A pattern as it is kept. Raises ValueError when it is none of the three kinds above."""
    pattern = _without_usual_port(_to_ascii(text.strip().rstrip("/").lower()))
    if len(pattern) > LONGEST_ORIGIN or not (
        _EXACT.fullmatch(pattern) or _PATTERN.fullmatch(pattern)
    ):
        raise ValueError(text)
    return pattern


@lru_cache(maxsize=4096)
def is_allowed(origin: str, patterns: tuple[str, ...]) -> bool:
    """Whether the origin that a browser names (“https://shop.example.com:8443”) fits one."""
    origin = _without_usual_port(origin[:LONGEST_ORIGIN].lower())
    found = _ORIGIN.fullmatch(origin)
    if not found:
        return False  # "null", or no origin at all
    host = found[2]
    return any(
        pattern in (origin, host) or (pattern[:2] == "*." and host.endswith(pattern[1:]))
        for pattern in patterns
    )


def origin_of(address: str) -> str:
    """The origin of a page's address; "" when it is none."""
    found = _ORIGIN.match(address[:2000].lower())
    return found[0] if found else ""


def _without_usual_port(origin: str) -> str:
    scheme, separator, _rest = origin.partition("://")
    usual = _USUAL_PORTS.get(scheme) if separator else None
    return origin.removesuffix(f":{usual}") if usual else origin


def _to_ascii(text: str) -> str:
    """Browsers name a host like “prüfung.example” in its ASCII form."""
    if text.isascii():
        return text
    scheme, separator, host = text.rpartition("://")
    try:
        return scheme + separator + host.encode("idna").decode()
    except UnicodeError:
        return text
