"""Loading the demo company is all or nothing, whatever happens to the process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta

import psycopg
import pytest

from leads.models import Lead
from tests.tracking.running import test_database_url as database_url
from users.models import User


def run_seed_demo(*options: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "manage.py", "seed_demo", *options],
        env={**os.environ, "DATABASE_URL": database_url(), "DEBUG": "yes"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.django_db(transaction=True)
def test_killed_in_the_middle_it_leaves_nothing_and_is_simply_run_again():
    with psycopg.connect(database_url()) as somebody:
        # Leads and events are written by then; it goes no further than here.
        somebody.execute("LOCK TABLE tracking_visitorlink IN SHARE MODE")
        killed = run_seed_demo("--leads", "200", "--events", "4000")
        assert killed.stdout is not None
        assert any(line.startswith("Events") for line in killed.stdout)
        killed.send_signal(signal.SIGKILL)
        killed.wait()
    assert not Lead.objects.exists() and not User.objects.exists()

    again = run_seed_demo("--leads", "120", "--events", "4000")
    said, _nothing = again.communicate(timeout=120)
    assert again.returncode == 0, said
    assert "Demo data is ready: 120 leads, 4,000 events." in said
    assert Lead.objects.count() == 120
    newest = Lead.objects.order_by("-created_at")[0].created_at
    assert newest > Lead.objects.order_by("created_at")[0].created_at + timedelta(days=300)
