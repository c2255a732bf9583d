"""Is everything there, once, when every process is killed? Run: python -m bench.kills

Starts the whole product with an empty database, sends 5,000 events with the real
Segment library while web, worker, Redis, PostgreSQL and relay are killed with -9 in
turn, five times each at odd moments, and then waits up to 60 s until each event stands on
the lead's timeline once and is in its score; manage.py verify_ledger proves that the books
balance. Ends with 1 when something is missing or double, or when fewer processes were
killed than asked for.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import psycopg
from psycopg.rows import dict_row
from segment.analytics.client import Client

from bench.servers import ROOT
from funnel_app.embedded.ports import listen_on

VICTIMS = ("web", "worker", "redis", "postgres", "relay")
LONGEST_WAIT = 60.0  # seconds from the last kill until everything is there
KEY = "pk_kills_bench"
EMAIL = "ada@kills.example"
# What a lead does, in turn.
STORY = ("Email Opened", "File Downloaded", "Video Watched", "Email Link Clicked")


def main() -> int:
    arguments = read_arguments()
    folder = Path(tempfile.mkdtemp(prefix="funnel-kills-"))
    folder.chmod(0o755)  # PostgreSQL's own user passes through
    try:
        with product(folder) as (address, environment):
            database = environment["DATABASE_URL"]
            add_source(database)
            sent = Story(address, arguments.events, arguments.kills * len(VICTIMS) * 3.0)
            sent.start()
            killed = kill_in_turn(folder, arguments.kills)
            last_kill = time.monotonic()
            sent.join()
            report = wait_until_whole(database, arguments.events, last_kill + LONGEST_WAIT)
            report |= {"client_errors": len(sent.errors), "seconds": time.monotonic() - last_kill}
            report |= {"killed": killed, "wanted": arguments.kills * len(VICTIMS)}
            return tell(report, environment, arguments.events)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=5_000)
    parser.add_argument("--kills", type=int, default=5, help="of each kind of process")
    return parser.parse_args()


@contextmanager
def product(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """`make run` with its state in `folder`; yields its address and its servers' addresses."""
    with closing(listen_on("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    environment |= {"FUNNEL_RUN_FOLDER": str(folder), "PORT": str(port), "DEMO": "no"}
    command = [sys.executable, "-m", "funnel_app.embedded.supervisor"]
    supervisor = subprocess.Popen(command, cwd=ROOT, env=environment)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(address, supervisor)
        yield address, read_environment(folder)
    finally:
        supervisor.send_signal(signal.SIGTERM)
        supervisor.wait(60)


def wait_for(address: str, supervisor: subprocess.Popen) -> None:
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        if supervisor.poll() is not None:
            raise SystemExit("The product ended while it was starting.")
        try:
            urllib.request.urlopen(f"{address}/readyz", timeout=5)
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise SystemExit("The product did not become ready.")


def read_environment(folder: Path) -> dict[str, str]:
    """DATABASE_URL, REDIS_URL and SECRET_KEY, as the supervisor leaves them for others."""
    lines = (folder / "environment").read_text().splitlines()
    return {name: value.strip("'") for name, _equals, value in (li.partition("=") for li in lines)}


def add_source(database: str) -> None:
    with psycopg.connect(database) as connection:
        row = connection.execute(
            "INSERT INTO tracking_source (name, kind, is_active) VALUES ('Kills', 'web', true)"
            " RETURNING id"
        ).fetchone()
        connection.execute(
            "INSERT INTO tracking_writekey"
            " (source_id, is_secret, key, key_hash, prefix, per_second, burst)"
            " VALUES (%s, false, %s, '', %s, 1000000, 10000000)",
            [row[0], KEY, KEY[:8]],
        )


class Story(threading.Thread):
    """The Segment library, sending one event after the other over `seconds`."""

    def __init__(self, address: str, events: int, seconds: float) -> None:
        super().__init__()
        self.events, self.pause = events, seconds / events
        self.errors: list[object] = []
        self.client = Client(
            KEY, host=address, upload_interval=0.2, upload_size=10, timeout=10,
            on_error=lambda error, items: self.errors.append(error),
        )  # fmt: skip

    def run(self) -> None:
        self.client.identify("u1", {"email": EMAIL, "name": "Ada Kills", "consent": True})
        for number in range(self.events - 1):
            kind = STORY[number % len(STORY)]
            self.client.track("u1", kind, {"number": number, "email": EMAIL}, message_id=new_id())
            time.sleep(self.pause)
        self.client.shutdown()


def new_id() -> str:
    return str(uuid.uuid4())


def kill_in_turn(folder: Path, times: int) -> int:
    """Kill each victim `times` times, every three seconds or so, wherever it lives by then.

    Returns how many were killed.
    """
    dice, killed = random.Random(25), 0
    for number in range(times):
        for name in VICTIMS:
            time.sleep(dice.uniform(2, 4))
            killed += kill(folder, name)
            print(f"kill {number + 1} of {name}", flush=True)
    return killed


def kill(folder: Path, name: str) -> bool:
    """Kill a process of the product; one that is just being started again, when it is there."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        pid = int(json.loads((folder / "processes.json").read_text())[name][0])
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            return True
        time.sleep(0.2)
    return False


_STATE = """
SELECT (SELECT count(*) FROM tracking_event) AS events,
       (SELECT count(DISTINCT message_id) FROM tracking_event) AS messages,
       (SELECT count(*) FROM tracking_event e JOIN leads_lead l ON l.id = e.lead_id
         WHERE l.email = %(email)s) AS on_timeline,
       (SELECT count(*) FROM leads_lead) AS leads,
       (SELECT count(*) FROM tracking_pendingevent) AS pending,
       (SELECT count(*) FROM scoring_dirtylead) AS unscored,
       (SELECT count(*) FROM tracking_quarantinedmessage) AS quarantined,
       (SELECT s.score / 100.0::float FROM leads_standing s JOIN leads_lead l ON l.id = s.lead_id
         WHERE l.email = %(email)s) AS score
"""


def wait_until_whole(database: str, events: int, deadline: float) -> dict:
    """The state when nothing waits any more and every event is there, or at the deadline."""
    while True:
        try:
            with psycopg.connect(database, connect_timeout=2, row_factory=dict_row) as connection:
                state = connection.execute(_STATE, {"email": EMAIL}).fetchone()
            is_idle = not state["pending"] and not state["unscored"]
            if (is_idle and state["on_timeline"] >= events) or time.monotonic() > deadline:
                return state
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.5)


def tell(state: dict, environment: dict[str, str], events: int) -> int:
    print(json.dumps(state, indent=2))
    is_whole = (
        state["events"] == state["messages"] == state["on_timeline"] == events
        and state["leads"] == 1
        and not (state["pending"] or state["unscored"] or state["quarantined"])
        and state["score"] > 0
        and state["seconds"] <= LONGEST_WAIT
        and state["killed"] == state["wanted"]
    )
    verified = subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", "verify_ledger"],
        cwd=ROOT,
        env={**os.environ, **environment},
    )
    print("every event is there once" if is_whole else "SOMETHING IS MISSING OR DOUBLE")
    return 0 if is_whole and verified.returncode == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
