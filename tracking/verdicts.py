"""Who did it: a human, perhaps a machine, or a machine. Plain rules on plain values."""

from __future__ import annotations

import re
from functools import cache, lru_cache

HUMAN, SUSPECTED, MACHINE = 0, 1, 2  # as tracking.models.Verdict

# Mail services fetch pictures through these when a human opens the mail.
_MAIL_PROXIES = re.compile(r"GoogleImageProxy|YahooMailProxy|DuckDuckGo-Favicons", re.IGNORECASE)
# Segment's libraries on servers name themselves, not the person's browser.
_SERVER_LIBRARY = re.compile(r"^(analytics|segment|posthog|rudder)[-_/.]", re.IGNORECASE)
# Programs that post events with a public key: likely a server of ours, but nobody can tell.
_HTTP_LIBRARY = re.compile(
    r"^(curl|wget|python-requests|python-httpx|python-urllib|aiohttp|go-http-client|okhttp|java"
    r"|node|axios|undici|guzzlehttp|faraday|ruby|dart|apache-httpclient)\b",
    re.IGNORECASE,
)


def browser_of(header: str) -> str:
    """The User-Agent header when it can be a person's browser; "" for a server's library."""
    return "" if _SERVER_LIBRARY.match(header) else header


def judge(
    user_agent: str, *, is_post: bool = False, is_head: bool = False, is_prefetch: bool = False
) -> int:
    """The verdict on one request, by who it says it is and how it asks.

    A HEAD request was sent by no person; a prefetched page may never be looked at. A
    program that posts events may speak for a person, one that fetches a picture does not.
    """
    if is_post and _HTTP_LIBRARY.match(user_agent):
        return SUSPECTED
    if is_head or is_crawler(user_agent):
        return MACHINE
    return SUSPECTED if is_prefetch else HUMAN


@lru_cache(maxsize=8192)
def is_crawler(user_agent: str) -> bool:
    """Whether the user agent is a crawler, monitor or script known to the public list."""
    if not user_agent or _MAIL_PROXIES.search(user_agent):
        return False
    return any(pattern.search(user_agent) for pattern in _crawler_patterns())


@cache
def _crawler_patterns() -> list[re.Pattern[str]]:
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA

    patterns = [entry["pattern"] for entry in CRAWLER_USER_AGENTS_DATA]
    return [re.compile("|".join(patterns[i : i + 100])) for i in range(0, len(patterns), 100)]
