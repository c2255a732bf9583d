"""What a single request says about who sent it. Pure: no database, no network, no clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

from tracking.events import NOT_OF_BROWSERS

# Mail services fetch pictures through these when, or before, a human opens the mail.
_MAIL_PROXIES = re.compile(r"GoogleImageProxy|YahooMailProxy|DuckDuckGo-Favicons", re.IGNORECASE)
# Apple's Mail Privacy Protection says only this, and fetches every mail it receives.
_APPLE_PROXY = "Mozilla/5.0"
# Properties by which mail providers say that an open was none.
_PROXY_PROPERTIES = ("sg_machine_open", "machine_open", "is_machine_open", "is_proxy_open")
# Segment's libraries on servers name themselves, not the person's browser.
_SERVER_LIBRARY = re.compile(r"^(analytics|segment|posthog|rudder)[-_/.]", re.IGNORECASE)
# Programs that post events with a public key: likely a server of ours, but nobody can tell.
_HTTP_LIBRARY = re.compile(
    r"^(curl|wget|python-requests|python-httpx|python-urllib|aiohttp|go-http-client|okhttp|java"
    r"|node|axios|undici|guzzlehttp|faraday|ruby|dart|apache-httpclient)\b",
    re.IGNORECASE,
)
_HEADLESS = re.compile(r"Headless|PhantomJS|SlimerJS|jsdom|HtmlUnit|Puppeteer|Playwright")
# Every browser, mail program and app names itself like this: Product/1.2
_PRODUCT = re.compile(r"^[A-Za-z][\w .\-]*/\d")
_SHORTEST_AGENT = 10  # characters of the shortest user agent that is worth the name


class Request(NamedTuple):
    """How a message came. `named` is the user agent its context names, `header` the request's.

    Anybody may name a browser in a message with a public key, so there the request's own user
    agent is judged, too.
    """

    named: str = ""
    header: str = ""
    method: str = "POST"
    is_prefetch: bool = False
    is_trusted: bool = False

    @property
    def user_agent(self) -> str:
        """That of the person; "" when only a server's own is known."""
        return self.named or self.sender

    @property
    def sender(self) -> str:
        """That of what sent the message; "" when that is a server, which speaks for others."""
        return "" if self.is_trusted else browser_of(self.header)


def browser_of(header: str) -> str:
    """The User-Agent header when it can be a person's browser; "" for a server's library."""
    return "" if _SERVER_LIBRARY.match(header) else header


def signals_of(
    request: Request, kind: str, properties: Mapping[str, Any], context: Mapping[str, Any]
) -> list[str]:
    """The signals of one message, sorted.

    A server speaks for somebody else: what its own connection looks like says nothing.
    A program that posts events may speak for a person, one that fetches a picture does not.
    """
    found = set(_of_agent(request))
    if kind in NOT_OF_BROWSERS and not request.is_trusted:
        found.add("hearsay")
    if request.method == "HEAD":
        found.add("head_request")
    if request.is_prefetch:
        found.add("prefetch")
    if context.get("webdriver") is True:
        found.add("webdriver")
    if context.get("staff") is True:
        found.add("staff_flag")
    if kind == "email_opened" and _is_proxy(request, properties):
        found = {"privacy_proxy"} | (found - {"odd_user_agent"})
    return sorted(found)


@lru_cache(maxsize=8192)
def _of_agent(request: Request) -> tuple[str, ...]:
    """What the user agents give away, that of the message and that of the request."""
    found = {signal for agent in _agents(request) for signal in _of_one(agent, request.method)}
    if not request.is_trusted and not request.header:
        found.add("no_user_agent")
    return tuple(found)


def _agents(request: Request) -> set[str]:
    return {request.named, request.sender} - {""}


def _of_one(agent: str, method: str) -> tuple[str, ...]:
    if method == "POST" and _HTTP_LIBRARY.match(agent):
        return ("script_client",)
    if _MAIL_PROXIES.search(agent):
        return ()
    found = ["crawler"] if is_crawler(agent) else []
    if _HEADLESS.search(agent):
        found.append("headless")
    if len(agent) < _SHORTEST_AGENT or not _PRODUCT.match(agent) or agent == _APPLE_PROXY:
        found.append("odd_user_agent")
    return tuple(found)


def _is_proxy(request: Request, properties: Mapping[str, Any]) -> bool:
    if any(agent == _APPLE_PROXY or _MAIL_PROXIES.search(agent) for agent in _agents(request)):
        return True
    return any(properties.get(name) in (True, "true", 1) for name in _PROXY_PROPERTIES)


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
