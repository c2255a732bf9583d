"""A website of another origin than the product's, which people visit while they are tracked."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.conftest import ARGUMENTS, LONGEST_WAIT_MS, _chromium, usable
from tracking.keys import issue_key
from tracking.models import Event, Source

FILES = Path(__file__).resolve().parents[3] / "node_modules"
# What browsers with a person in front of them say: headless ones are known as crawlers. It is
# an argument of the browser, because what a page sends while it is left ignores its context.
CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140 Safari"

LIKE_PEOPLE_S = [f"--user-agent={CHROME}", "--disable-blink-features=AutomationControlled"]


@dataclass
class Website:
    """`pages` by path, shown under `url`; anything else is a file of node_modules/."""

    url: str
    headers: dict[str, str] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)

    def show(self, path: str, body: str, head: str = "") -> None:
        """Put a page with this body at the path."""
        title = path.strip("/") or "Home"
        self.pages[path] = (
            f"<!doctype html><meta charset=utf-8><title>{title}</title>{head}<body>{body}</body>"
        )


class Handler(SimpleHTTPRequestHandler):
    """Serves the pages of one Website."""

    site: Website

    def do_GET(self) -> None:
        page = self.site.pages.get(urlsplit(self.path).path)
        if page is None:
            super().do_GET()
            return
        body = page.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        for name, value in self.site.headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_parts) -> None:
        """Say nothing."""


@pytest.fixture(scope="session")
def running_website() -> Iterator[Website]:
    site = Website("")
    handler = type("SiteHandler", (Handler,), {"site": site})
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(FILES)))
    site.url = f"http://localhost:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield site
    server.shutdown()


@pytest.fixture
def website(running_website: Website) -> Website:
    """An empty website, at another host name and port than the product."""
    running_website.pages.clear()
    running_website.headers.clear()
    return running_website


@pytest.fixture
def write_key(transactional_db) -> str:
    source = Source.objects.create(name="Website")
    return issue_key(source, is_secret=False)[1]


@pytest.fixture
def snippet(server: str, write_key: str) -> Callable[[str], str]:
    """The one line that a website puts into its pages, with more attributes if given."""

    def tag(attributes: str = 'data-consent="granted"') -> str:
        return f'<script async src="{server}/t.js" data-key="{write_key}" {attributes}></script>'

    return tag


@pytest.fixture(scope="session")
def people_s_browser(browser: Browser) -> Iterator[Browser]:
    """A browser that looks like one of a person, and keeps pages that were left, as theirs do."""
    chromium = browser.browser_type.launch(
        executable_path=usable(_chromium()),
        args=[*ARGUMENTS, *LIKE_PEOPLE_S],
        ignore_default_args=["--disable-back-forward-cache"],
    )
    yield chromium
    chromium.close()


@pytest.fixture
def visitor(people_s_browser: Browser, server: str) -> Iterator[BrowserContext]:
    """A person's browser, new to the website."""
    context = people_s_browser.new_context(locale="en")
    context.set_default_timeout(LONGEST_WAIT_MS)
    yield context
    context.close()


@pytest.fixture
def visit(visitor: BrowserContext, website: Website) -> Callable[..., Page]:
    """Opens a page of the website in a new tab: `visit("/prices?utm_source=x")`."""

    def open_page(path: str, **options) -> Page:
        page = visitor.new_page()
        page.goto(website.url + path, **options)
        return page

    return open_page


@pytest.fixture
def arrived(transactional_db) -> Callable[..., list[Event]]:
    """Waits until `count` events (of that kind) are stored; returns them in their order.

    Engaged time is only counted when it is asked for.
    """

    def wait(count: int, kind: str = "", seconds: float = 10) -> list[Event]:
        told = Event.objects.exclude(kind="page_engaged")
        found = Event.objects.filter(kind=kind) if kind else told
        deadline = time.monotonic() + seconds
        while found.count() < count and time.monotonic() < deadline:
            time.sleep(0.05)
        events = list(found.order_by("occurred_at", "id"))
        assert len(events) == count, [(event.kind, event.properties) for event in events]
        return events

    return wait
