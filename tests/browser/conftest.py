"""A real server process, a real Chromium, and people signed in to both.

Every page a test opens is watched: a script error, a violation of the
Content-Security-Policy or a failed request fails the test.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import connection, connections
from django.test import Client
from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parent.parent.parent
PASSWORD = "correct horse battery"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]

# A page may take that long while three other processes test: no figure, only an end of waiting.
LONGEST_WAIT_MS = 20_000
expect.set_options(timeout=LONGEST_WAIT_MS)
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Of what axe-core answers only this leaves the browser: the rest is a copy of the page, and more.
VIOLATIONS = """(options) => axe.run(options).then(({violations}) =>
  violations.flatMap(({id, nodes}) =>
    nodes.map(({html, any}) => [id, html.slice(0, 120), any[0]?.message ?? ''])))"""


def pytest_collection_modifyitems(items) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.django_db(transaction=True))


class QuickHasher(PBKDF2PasswordHasher):
    """The hash that the server knows, made with a single round."""

    iterations = 1


@pytest.fixture(autouse=True)
def quick_and_uncollected(settings) -> None:
    """The server is a process of its own with production's hashers and collected files."""
    settings.PASSWORD_HASHERS = [f"{__name__}.QuickHasher"]
    settings.WHITENOISE_AUTOREFRESH = True  # as in all tests


def _chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)


def usable(path: str | None) -> str:
    """The path of a browser; without one, what needs it is left out, or fails in CI."""
    if path is None:
        assert not os.environ.get("CI"), "In CI a missing browser is a failure."
        pytest.skip("No Chromium on this machine.")
    return path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """For pages of ours: the headless shell, which is lighter, or else the whole Chromium."""
    path = usable(shutil.which("chromium-headless-shell") or _chromium())
    # Playwright keeps an event loop in this thread; the ORM is used beside it, never in it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()
        # Beside an event loop Django opens connections of their own, which nobody finds after it.
        connections.close_all()


@pytest.fixture(scope="session")
def static_files() -> Path:
    """The files as production serves them: collected, hashed, compressed. Done once for all
    processes and runs, until one of the files changes."""
    environment = {name: value for name, value in os.environ.items() if name != "STATIC_ROOT"}
    command = [sys.executable, "-B", "bin/setup.py", "static"]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return ROOT / ".run" / "static"


def _database_url() -> str:
    """The address of the test database, for a process of its own."""
    db = connection.settings_dict
    host, port = db["HOST"] or db["OPTIONS"].get("host", ""), f":{db['PORT']}" if db["PORT"] else ""
    secret = f":{db['PASSWORD']}" if db["PASSWORD"] else ""
    if host.startswith("/"):
        return f"postgresql://{db['USER']}{secret}@{port}/{db['NAME']}?host={host}"
    return f"postgresql://{db['USER']}{secret}@{host}{port}/{db['NAME']}"


@pytest.fixture(scope="session")
def server(static_files, django_db_setup) -> Iterator[str]:
    """The address of the product: the one web process, on the test database."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "DATABASE_URL": _database_url(),
        "STATIC_ROOT": str(static_files),
        "SECRET_KEY": settings.SECRET_KEY,
    }
    environment.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)
    command = [sys.executable, "-m", "uvicorn", "funnel_app.asgi:application", "--port", str(port)]
    process = subprocess.Popen([*command, "--log-level", "warning"], cwd=ROOT, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_open(address, process)
        yield address
    finally:
        process.terminate()
        process.wait(10)


def _wait_until_open(address: str, process: subprocess.Popen) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"{address}/livez", timeout=2).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("The server did not start.")


@pytest.fixture
def new_page(browser, server, transactional_db) -> Iterator[Callable[..., Page]]:
    """Opens a page in a context of its own: `new_page(color_scheme="dark", width=360)`."""
    contexts, complaints = [], []

    def open_page(*, color_scheme: str = "light", width: int = 1280, locale: str = "en") -> Page:
        context = browser.new_context(
            base_url=server,
            color_scheme=color_scheme,
            viewport={"width": width, "height": 900},
            locale=locale,
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(LONGEST_WAIT_MS)
        page.on("pageerror", lambda error: complaints.append(f"script: {error}"))
        page.on("console", lambda m: m.type == "error" and complaints.append(f"console: {m.text}"))
        return page

    open_page.complaints = complaints
    yield open_page
    for context in contexts:
        context.close()
    # Answers 403, 404, 409 and 422 are part of the product; the browser logs them as errors.
    assert [c for c in complaints if "Failed to load resource" not in c] == []


@pytest.fixture
def signed_in(new_page, server) -> Callable[..., Page]:
    """Opens the landing page of a person whose session is already there: `signed_in(mia)`."""

    def sign_in(user, **options) -> Page:
        client = Client()
        client.force_login(user)
        page = new_page(**options)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        page.context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": server}]
        )
        page.goto("/")
        return page

    return sign_in


@pytest.fixture
def signed_in_by_form(new_page) -> Callable[..., Page]:
    """The same, the way people do it: with address and password."""

    def sign_in(user, **options) -> Page:
        page = new_page(**options)
        page.goto("/user/login/")
        page.locator("input[name=login]").fill(user.email)
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("input[name=password]").press("Enter")
        page.wait_for_url(lambda url: "/user/login/" not in url)
        return page

    return sign_in


@pytest.fixture(scope="session")
def run_axe() -> Callable[[Page], list[str]]:
    """Runs axe-core on a page; returns its violations of WCAG 2.2 A and AA as sentences."""
    from axe_playwright_python.sync_playwright import Axe

    script = Axe().axe_script
    options = {"runOnly": RULES, "resultTypes": ["violations"], "selectors": False}

    def check(page: Page) -> list[str]:
        page.evaluate(script)
        found = page.evaluate(VIOLATIONS, options)
        return [f"{name}: {element} {why}" for name, element, why in found]

    return check


@pytest.fixture
def drain_all(monkeypatch) -> Callable[[], None]:
    """Does what the relay does, until nothing is left to do."""
    from funnel_app.relay import DRAINS
    from scoring import rescore

    # No worker is here to leave a moment to: "nothing left" must not mean "nothing old enough".
    monkeypatch.setattr(rescore, "RELAY_WAITS", timedelta(0))

    def settle() -> None:
        while any(drain.take(drain.limit) for drain in DRAINS):
            pass

    return settle
