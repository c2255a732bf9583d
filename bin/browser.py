"""The Chromium that the browser tests drive: found, else installed, else done without.

Where pages are only looked at, its headless shell takes a third less of the processor;
without one they are looked at with the whole Chromium.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from environment import PYTHON
from telling import RUN_FOLDER, CannotGoOn, run_told, say

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SHELL = "chromium-headless-shell"
PLAYWRIGHTS_OWN = """
from playwright.sync_api import sync_playwright
with sync_playwright() as p:
    print(p.chromium.executable_path)
"""


def ensure_browser() -> str | None:
    """The path of a Chromium that starts, or None after one line that says what is left out.

    Raises CannotGoOn when there is none and CI is set: there its absence is a failure.
    """
    path = _find() or _install()
    if path and os.environ.get("CI") and not shutil.which(SHELL) and _may_apt_get():
        _add_shell()
    if path is None and os.environ.get("CI"):
        raise CannotGoOn(
            "No Chromium could be found or installed, and in CI the browser tests must run."
        )
    if path is None:
        say("No Chromium could be found or installed: the browser tests are LEFT OUT of this run.")
    return path


def _find() -> str | None:
    candidates = [os.environ.get("CHROMIUM"), *map(shutil.which, NAMES), _playwrights_own()]
    return next((path for path in candidates if path and _starts(path)), None)


def _playwrights_own() -> str | None:
    answer = subprocess.run([str(PYTHON), "-c", PLAYWRIGHTS_OWN], capture_output=True, text=True)
    path = answer.stdout.strip()
    return path if path and Path(path).exists() else None


def _starts(path: str) -> bool:
    """Run it: a wrapper script may be there without the browser behind it."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, timeout=60).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _install() -> str | None:
    steps = [_apt_get] if _may_apt_get() else []
    for install in [*steps, _playwright_install]:
        try:
            install()
        except CannotGoOn as reason:
            say(f"  {reason}")
        if path := _find():
            return path
    return None


def _may_apt_get() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _apt_get(*packages: str) -> None:
    packages = packages or ("chromium", "fonts-noto-cjk")
    say(f"Installing {' and '.join(packages)} with apt-get for the browser tests (once) …")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for step in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
        run_told(
            ["apt-get", "-q", *step],
            log=RUN_FOLDER / "apt.log",
            what="Installing Chromium with apt-get",
            environment=environment,
        )


def _add_shell() -> None:
    try:
        _apt_get("chromium", SHELL)  # they come in the same version
    except CannotGoOn as reason:  # not every distribution has it
        say(f"  {reason} The whole Chromium does its work.")


def _playwright_install() -> None:
    say("Downloading Playwright's Chromium for the browser tests (once) …")
    run_told(
        [str(PYTHON), "-m", "playwright", "install", "chromium"],
        log=RUN_FOLDER / "playwright.log",
        what="Downloading Playwright's Chromium",
    )
