"""kill -9 at any moment: each row once, and the import goes on where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from leads import importing
from leads.import_models import Import
from leads.imports import working
from leads.models import ExternalId, Lead, StageEpisode
from tests.import_steps import check, upload, work

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.servers]

ROOT = Path(__file__).resolve().parent.parent.parent
ROWS = 600
# Short leases, so that the next process need not wait long; small chunks, to be killed in many.
WORKER = """
import django, datetime
django.setup()
from django.conf import settings
from leads.imports import working
working.LEASE = datetime.timedelta(seconds=0.2)
while True:
    working.drain(15, is_hinted=True)
"""


@pytest.fixture
def job(mia, monkeypatch) -> Import:
    monkeypatch.setattr(working, "LEASE", timedelta(seconds=0.2))
    rows = "".join(
        f"{n},p{n}@b.example,2018-01-{n % 28 + 1:02},2018-02-{n % 28 + 1:02}\n" for n in range(ROWS)
    )
    header = "record id,email,became a marketing qualified lead date,became a customer date\n"
    job = upload(header + rows, mia)
    check(job)
    importing.start_run(job.pk)
    return job


def start_worker() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", WORKER], cwd=ROOT, env=_environment())


def _environment() -> dict[str, str]:
    """The address of the test database, for a process of its own."""
    test, url = connection.settings_dict, os.environ["DATABASE_URL"]
    base, _question, options = url.partition("?")
    address = f"{base.rpartition('/')[0]}/{test['NAME']}" + (f"?{options}" if options else "")
    settings = {"DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "funnel_app.settings"}
    return {**os.environ, **settings}


def done_count(job: Import) -> int:
    return Import.objects.values_list("done_count", flat=True).get(pk=job.pk)


def wait_for_progress(job: Import, process: subprocess.Popen[bytes]) -> None:
    before, deadline = done_count(job), time.monotonic() + 60
    while done_count(job) < before + 30 and done_count(job) < ROWS:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.003)


def assert_each_row_once(job: Import) -> None:
    job.refresh_from_db()
    assert (job.state, job.done_count) == ("finished", ROWS)
    assert job.run_tally == job.check_tally == {"created": ROWS, "warned": 0, "notes": {}}
    numbers = Counter(job.rows.filter(is_check=False).values_list("number", flat=True))
    assert numbers == dict.fromkeys(range(1, ROWS + 1), 1)
    assert Lead.objects.count() == ExternalId.objects.count() == ROWS
    assert StageEpisode.objects.count() == ROWS * 6


def test_an_import_killed_again_and_again_has_each_row_once(job):
    for _again in range(4):
        process = start_worker()
        wait_for_progress(job, process)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert 0 < done_count(job) < ROWS
    time.sleep(0.3)
    work()
    assert_each_row_once(job)


def test_two_workers_at_once_do_each_row_once(job):
    processes = [start_worker(), start_worker()]
    deadline = time.monotonic() + 120
    while done_count(job) < ROWS:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    for process in processes:
        process.kill()
        process.wait()
    assert_each_row_once(job)
