"""Does an event cost more when more are stored? Run: python -m bench.growth [--most 5000000]

Fills the table of events of a scratch database to each size in turn (as ingest leaves them:
random message ids, a hundred thousand visitors), and at each size

* sends batches of 100 and single events to a web process, and prints the CPU time per event
  of that process and of PostgreSQL,
* stores groups of 100 rows by the statement and of 500 by COPY, and prints the median time,
* prints what a stored event takes, with each index.

What the web process does is the same at any size: how its CPU time differs is how differently
busy the machine was. Ends with 1 when PostgreSQL's CPU time per event of a batch grew to more
than 1.5 times, that difference taken out.
"""
# ruff: noqa: E402 (Django must be set up before prepared rows can be made)

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import statistics
import sys
import time
import uuid
from datetime import UTC, datetime

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "funnel_app.settings")
import django

django.setup()

import psycopg

from bench.ingest import load, prepare
from bench.servers import Meter, pin_backends, scratch_database, web_process
from tracking.collector.copying import copy_rows
from tracking.ingest import Envelope
from tracking.ingest import prepare as prepare_row
from tracking.storing import STORE, store_parameters

SIZES = (0, 1_000_000, 5_000_000, 20_000_000)
MOST_GROWTH = 1.5
CHUNK = 250_000  # rows of one INSERT while filling
ROUNDS = 15  # groups that are stored for a median
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
FILL = """
INSERT INTO tracking_event (source_id, message_id, kind, name, occurred_at, sent_at, received_at,
    anonymous_id, user_id, url, path, referrer, title, user_agent, properties, context,
    is_trusted, verdict)
SELECT %(source)s, gen_random_uuid(), 'page_viewed', 'Product', at, NULL, at,
       md5((n %% 100000)::text)::uuid, '', 'https://www.example.com/products/' || n %% 500
           || '?utm_source=google&utm_medium=cpc', '/products/' || n %% 500,
       'https://www.google.com/', 'Product ' || n %% 500, %(agent)s,
       '{"search": "?utm_source=google&utm_medium=cpc"}',
       '{"ip": "203.0.113.0", "locale": "en-US", "timezone": "Europe/Berlin", "library":
         {"name": "analytics.js", "version": "next-1.81.0"}, "campaign":
         {"name": "spring", "medium": "cpc", "source": "google"}}', false, 0
  FROM (SELECT n, now() - make_interval(secs => 86400 * 365 * (1 - n / %(most)s::float)) AS at
          FROM generate_series(%(first)s, %(last)s) n) told
"""
STORAGE = """
SELECT count(*), pg_table_size('tracking_event') FROM tracking_event
"""
INDEXES = """
SELECT indexrelid::regclass::text, pg_relation_size(indexrelid)
  FROM pg_index WHERE indrelid = 'tracking_event'::regclass ORDER BY 2 DESC
"""


def main() -> int:
    arguments = read_arguments()
    cores = sorted(os.sched_getaffinity(0))
    served, loaded = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
    costs: list[tuple[float, float]] = []
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(scratch_database(served))
        source = prepare(database)
        port = stack.enter_context(web_process(database, served))
        served_by = {"port": port, "is_scattered": True}
        contenders = {
            "batch": {**served_by, "path": "/v1/batch", "batch": 100, "callers": 8},
            "single": {**served_by, "path": "/v1/page", "batch": 0, "callers": 64},
        }
        for contender in contenders.values():
            load(contender, 1.0, loaded)
        pin_backends(database, served)
        stored = 0
        for size in (size for size in SIZES if size <= arguments.most):
            fill(database, source, stored, size, arguments.most)
            stored = max(stored, size)
            meter = Meter(port, database)
            print(f"\n{size:,} events were stored before", flush=True)
            for name, contender in contenders.items():
                cost = measure(name, contender, meter, arguments, loaded)
                if name == "batch":
                    costs.append(cost)
            tell_statements(database, source)
            tell_storage(database)
    busier, growth = (last / first for first, last in zip(costs[0], costs[-1], strict=True))
    print(
        f"\nCPU time per event of a batch, at the end and at first: web {busier:.2f} ×,"
        f" PostgreSQL {growth:.2f} ×, so {growth / busier:.2f} × (at most {MOST_GROWTH})"
    )
    return int(growth / busier > MOST_GROWTH)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--most", type=int, default=SIZES[-1], help="events, of which ~1 KB each")
    parser.add_argument("--seconds", type=float, default=6.0, help="of each turn of sending")
    parser.add_argument("--rounds", type=int, default=3, help="turns, of which the median counts")
    return parser.parse_args()


def fill(database: str, source: int, stored: int, size: int, most: int) -> None:
    """Up to `size` events, then at rest: vacuumed, analysed and on disk."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("SET statement_timeout = 0; SET synchronous_commit = off")
        for first in range(stored + 1, size + 1, CHUNK):
            last = min(first + CHUNK - 1, size)
            given = {"source": source, "agent": AGENT, "first": first, "last": last, "most": most}
            connection.execute(FILL, given)
        connection.execute("VACUUM (ANALYZE) tracking_event")
        connection.execute("CHECKPOINT")


def measure(
    name: str, contender: dict, meter: Meter, arguments: argparse.Namespace, core: int | None
) -> tuple[float, float]:
    """Prints and returns CPU time per event: of the web process, of PostgreSQL, in µs."""
    costs = []
    for _round in range(arguments.rounds):
        web, database = meter.web_seconds(), meter.database_seconds()
        events = load(contender, arguments.seconds, core)["events"] / 1e6
        used = meter.web_seconds() - web, meter.database_seconds() - database
        costs.append((used[0] / events, used[1] / events))
    served, stored = (statistics.median(column) for column in zip(*costs, strict=True))
    print(f"  {name:8} web {served:6.1f} µs, PostgreSQL {stored:6.1f} µs of CPU per event")
    return served, stored


def tell_statements(database: str, source: int) -> None:
    asyncio.run(_tell_statements(database, source))


async def _tell_statements(database: str, source: int) -> None:
    async with await psycopg.AsyncConnection.connect(database, autocommit=True) as connection:
        by_statement, by_copy = [], []
        for _round in range(ROUNDS):
            rows = fresh_rows(source, 100)
            began = time.perf_counter()
            await connection.execute(STORE, store_parameters(rows, {}), prepare=True)
            by_statement.append(time.perf_counter() - began)
            rows = fresh_rows(source, 500)
            began = time.perf_counter()
            await copy_rows(connection, rows, {}, [])
            by_copy.append(time.perf_counter() - began)
    print(
        f"  100 rows by the statement {1000 * statistics.median(by_statement):.1f} ms,"
        f" 500 rows by COPY {1000 * statistics.median(by_copy):.1f} ms (medians, wall)"
    )


def fresh_rows(source: int, count: int) -> list[dict]:
    envelope = Envelope(source, False, datetime.now(UTC), "page", user_agent=AGENT)
    said = {"url": "https://www.example.com/products/1", "title": "Product", "search": "?a=b"}
    return [
        prepare_row(
            {"anonymousId": str(uuid.uuid4()), "messageId": str(uuid.uuid4()), "properties": said},
            envelope,
        )
        for _ in range(count)
    ]


def tell_storage(database: str) -> None:
    with psycopg.connect(database) as connection:
        count, table = connection.execute(STORAGE).fetchone() or (0, 0)
        indexes = connection.execute(INDEXES).fetchall()
    count = max(count, 1)
    of_indexes = sum(size for _name, size in indexes)
    print(
        f"  {count:,} stored: {table / count:.0f} bytes each, {of_indexes / count:.0f} of indexes"
    )
    for name, size in indexes:
        print(f"    {name:32} {size / 1e6:9.1f} MB {size / count:7.1f} bytes")


if __name__ == "__main__":
    sys.exit(main())
