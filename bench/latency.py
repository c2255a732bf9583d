"""How soon does an event show in its lead's score? Run: python -m bench.latency

Starts a web process and a relay over an empty database (no worker and no Redis: the slow way),
makes a lead of every visitor by a form, and then lets each of them do one thing that scores, 200
a second. For each event the time from its answer, when it is on disk, until another database
session sees the lead's score grow. Ends with 1 when p95 is 2 s or more, or one is missing.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection

import psycopg

from bench.bot_storm import PUBLIC_KEY, add_keys, relay, wait_until_done
from bench.bots import FIREFOX
from bench.servers import scratch_database, web_process

TARGET_SECONDS = 2.0  # p95
LONGEST_WAIT = 60.0  # seconds after the last event
SENDERS = 16
LOOK_SECONDS = 0.02
HEADERS = {"User-Agent": FIREFOX, "Content-Type": "application/json"}
SCORES = """
SELECT visitor.anonymous_id, standing.score, standing.scored_at
  FROM tracking_visitor visitor JOIN leads_standing standing ON standing.lead_id = visitor.lead_id
"""
GROWN = f"{SCORES} WHERE visitor.anonymous_id = ANY(%s) AND standing.score > %s"


def main() -> int:
    arguments = read_arguments()
    people = [f"person-{number}" for number in range(arguments.rate * arguments.seconds)]
    with (
        scratch_database(None) as database,
        web_process(database, None) as port,
        relay(database),
        psycopg.connect(database, autocommit=True) as link,
    ):
        add_keys(link)
        introduce(port, people)
        wait_until_done(link)
        before = {who: score for who, score, _at in link.execute(SCORES)}
        if len(before) != len(people) or len(set(before.values())) != 1:
            raise SystemExit(f"{len(before)} of {len(people)} people have a score to begin with.")
        watch = Watch(database, next(iter(before.values())))
        watch.start()
        told = tell_all(port, people, arguments.rate, watch)
        watch.join()
    return report(told, watch.seen, len(people))


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=int, default=200, help="events a second")
    parser.add_argument("--seconds", type=int, default=20)
    return parser.parse_args()


def introduce(port: int, people: list[str]) -> None:
    """Each sends a form, in batches."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    for first in range(0, len(people), 100):
        forms = [
            {
                "type": "track", "event": "Form Submitted", "anonymousId": who,
                "messageId": f"form-{who}", "properties": {"email": f"{who}@acme.example"},
            }
            for who in people[first : first + 100]
        ]  # fmt: skip
        post(connection, "batch", {"batch": forms})
    connection.close()


def post(connection: HTTPConnection, call: str, message: dict) -> None:
    body = json.dumps({**message, "writeKey": PUBLIC_KEY})
    connection.request("POST", f"/v1/{call}", body, HEADERS)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 200:
        raise SystemExit(f"The web process answered {answer.status}.")


class Watch(threading.Thread):
    """Looks who has a higher score than at first. `told` and `seen`: person → clock in seconds."""

    def __init__(self, database: str, score: object) -> None:
        super().__init__(daemon=True)
        self.database, self.score = database, score
        self.waiting: set[str] = set()
        self.seen: dict[str, float] = {}
        self.ends_at = float("inf")

    def run(self) -> None:
        with psycopg.connect(self.database, autocommit=True) as link:
            while time.perf_counter() < self.ends_at:
                people = list(self.waiting.copy())
                for who, _score, _at in link.execute(GROWN, [people, self.score], prepare=True):
                    self.seen[who] = time.perf_counter()
                    self.waiting.discard(who)
                if not self.waiting and self.ends_at < float("inf"):
                    return
                time.sleep(LOOK_SECONDS)


def tell_all(port: int, people: list[str], rate: int, watch: Watch) -> dict[str, float]:
    """Each person downloads a file at its moment; returns when each was answered."""
    told: dict[str, float] = {}
    began = time.perf_counter()
    turns = enumerate(people)
    lock = threading.Lock()
    senders = [
        threading.Thread(target=send, args=(port, turns, lock, began, rate, told, watch))
        for _number in range(SENDERS)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    watch.ends_at = time.perf_counter() + LONGEST_WAIT
    return told


def send(
    port: int,
    turns: Iterator[tuple[int, str]],
    lock: threading.Lock,
    began: float,
    rate: int,
    told: dict[str, float],
    watch: Watch,
) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    while True:
        with lock:
            number, who = next(turns, (-1, ""))
        if not who:
            break
        time.sleep(max(0.0, began + number / rate - time.perf_counter()))
        message = {"event": "File Downloaded", "anonymousId": who, "messageId": f"file-{who}"}
        watch.waiting.add(who)
        post(connection, "track", message)
        told[who] = time.perf_counter()
    connection.close()


def report(told: dict[str, float], seen: dict[str, float], wanted: int) -> int:
    took = sorted(max(0.0, seen[who] - told[who]) for who in seen if who in told)
    span = max(told.values()) - min(told.values())
    rate = (len(told) - 1) / span if span else 0.0
    p95 = statistics.quantiles(took, n=20)[-1]
    print(
        f"{len(took):,} of {wanted:,} events in a score, sent at {rate:.0f} a second;"
        f" from answer to score p50 {statistics.median(took):.2f} s, p95 {p95:.2f} s,"
        f" longest {took[-1]:.2f} s   target p95 < {TARGET_SECONDS:g} s"
    )
    return int(len(took) < wanted or p95 >= TARGET_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
