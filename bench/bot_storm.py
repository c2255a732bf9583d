"""Does a storm of bots change a human figure? Run: python -m bench.bot_storm

Starts a web process and a relay over an empty database, lets a few humans come, notes every
figure that bots could change, sends 100,000 requests of bots (crawlers, HEAD, headless and
remote-controlled browsers, bursts, a scanner that clicks through a lead's mail, forms), waits
until all are worked off, and compares. Ends with 1 when a figure changed, a request was not
accepted, an event is missing or the books do not balance.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from bench import bots
from bench.servers import ROOT, manage, scratch_database, web_process

PUBLIC_KEY, SECRET_KEY = "pk_bot_storm", "sk_bot_storm"
LONGEST_WAIT = 3600.0  # seconds after the last request
HUMANS = 50
_WAITING = """
SELECT (SELECT count(*) FROM tracking_pendingevent) + (SELECT count(*) FROM scoring_dirtylead)
     + (SELECT count(*) FROM tracking_stalevisits)
"""


def main() -> int:
    arguments = read_arguments()
    with (
        scratch_database(None) as database,
        web_process(database, None) as port,
        relay(database),
        psycopg.connect(database, autocommit=True) as link,
    ):
        add_keys(link)
        humans_come(port)
        wait_until_done(link)
        before = figures(link)
        began = time.perf_counter()
        requests = bots.storm(arguments.requests, PUBLIC_KEY, SECRET_KEY)
        wrong = bots.send("127.0.0.1", port, requests)
        sent = time.perf_counter() - began
        wait_until_done(link)
        done = time.perf_counter() - began
        after = figures(link)
        machines = one(link, "SELECT count(*) FROM tracking_event WHERE verdict = 2")
        books = manage(database, "verify_ledger").strip().splitlines()[-1]
    changed = {name: [before[name], after[name]] for name in before if before[name] != after[name]}
    report = {
        "requests": arguments.requests,
        "not_accepted": len(wrong),
        "machine_events": machines,
        "changed_figures": changed,
        "seconds_sending": round(sent, 1),
        "seconds_until_done": round(done, 1),
        "books": books,
    }
    print(json.dumps(report, indent=1))
    return int(bool(changed or wrong or machines != arguments.requests))


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=500 * bots.UNIT)
    return parser.parse_args()


@contextmanager
def relay(database: str) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-W", "ignore", "manage.py", "relay"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database},
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(60)


def add_keys(link: psycopg.Connection) -> None:
    from hashlib import sha256

    source = one(
        link,
        "INSERT INTO tracking_source (name, kind, is_active) VALUES ('Storm', 'web', true)"
        " RETURNING id",
    )
    keys = [(False, PUBLIC_KEY, ""), (True, "", sha256(SECRET_KEY.encode()).hexdigest())]
    for is_secret, key, key_hash in keys:
        link.execute(
            "INSERT INTO tracking_writekey"
            " (source_id, is_secret, key, key_hash, prefix, per_second, burst)"
            " VALUES (%s, %s, %s, %s, 'storm', 1000000, 10000000)",
            [source, is_secret, key, key_hash],
        )


def humans_come(port: int) -> None:
    """Visitors with two page views each; one sends a form, and clicks in a mail."""
    told = []
    for number in range(HUMANS):
        for path in ("/", "/pricing"):
            said = {"anonymousId": f"human-{number}", "properties": {"path": path}}
            told.append(bots.post("page", said, bots.FIREFOX, PUBLIC_KEY))
    form = {"anonymousId": "human-0", "event": "Form Submitted"}
    form |= {"properties": {"email": bots.VICTIM, "consent": True}}
    told.append(bots.post("track", form, bots.FIREFOX, PUBLIC_KEY))
    click = {"event": "Email Link Clicked"}
    click |= {"properties": {"email": bots.VICTIM, "email_id": "spring", "link_url": "https://a"}}
    told.append(bots.post("track", click, "provider/1.0", SECRET_KEY))
    if wrong := bots.send("127.0.0.1", port, iter(told), callers=1):
        raise SystemExit(f"Humans were refused: {wrong}")


def figures(link: psycopg.Connection) -> dict[str, str]:
    return {name: str(one(link, sql)) for name, sql in bots.FIGURES.items()}


def one(link: psycopg.Connection, sql: str):
    row = link.execute(sql).fetchone()
    assert row is not None
    return row[0]


def wait_until_done(link: psycopg.Connection) -> None:
    """Until no work row has been there for two seconds."""
    deadline, quiet_since = time.monotonic() + LONGEST_WAIT, time.monotonic()
    while time.monotonic() < deadline:
        if one(link, _WAITING):
            quiet_since = time.monotonic()
        elif time.monotonic() - quiet_since > 2:
            return
        time.sleep(0.2)
    raise SystemExit("The relay did not come to an end.")


if __name__ == "__main__":
    sys.exit(main())
