"""How many events a second, each on disk before it is answered? Run: python -m bench.ingest

One core has the web process and PostgreSQL, the other one the load generator. Four
contenders take turns, so that a busy machine slows all of them alike:

* a plain Django view that does Event.objects.create(), behind the same server,
* POST /v1/page, one event per request,
* POST /v1/batch, 100 events per request,
* the ceiling: COPY of ready-made rows into the same table (bench/ceiling.py).

Prints the median of the rounds and the ratios; ends with 1 when a target is missed.
Events per second of CPU (web process and database connections) are printed beside:
they hold on a machine that is busy with something else, too.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys

import psycopg

from bench.ceiling import Ceiling
from bench.servers import ROOT, Meter, pin_backends, scratch_database, web_process

# (contender, what it is measured by, at least so many times as fast)
TARGETS = (("single", "orm", 7.0), ("batch", "orm", 12.0), ("batch", "ceiling", 0.4))
_PREPARE = """
INSERT INTO tracking_source (name, kind, is_active) VALUES ('Bench', 'web', true) RETURNING id
"""
_KEY = """
INSERT INTO tracking_writekey (source_id, is_secret, key, key_hash, prefix, per_second, burst)
VALUES (%s, false, 'pk_bench', '', 'pk_bench', 1000000, 10000000)
"""


def main() -> int:
    arguments = read_arguments()
    cores = sorted(os.sched_getaffinity(0))
    served, loaded = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
    with contextlib.ExitStack() as stack:
        database = stack.enter_context(scratch_database(served))
        source_id = prepare(database)
        ours = stack.enter_context(web_process(database, served))
        orm = stack.enter_context(
            web_process(database, served, DJANGO_SETTINGS_MODULE="bench.orm_settings")
        )
        contenders = {
            "orm": {"port": orm, "path": f"/orm/{source_id}/page", "batch": 0, "callers": 16},
            "single": {"port": ours, "path": "/v1/page", "batch": 0, "callers": 128},
            "batch": {"port": ours, "path": "/v1/batch", "batch": 100, "callers": 8},
        }
        for contender in contenders.values():
            load(contender, 1.0, loaded)
        pin_backends(database, served)
        meters = {name: Meter(each["port"], database) for name, each in contenders.items()}
        ceiling = Ceiling(database, served)
        rounds: dict[str, list[dict]] = {name: [] for name in (*contenders, "ceiling")}
        acknowledged = 0
        before = count(database)
        for number in range(arguments.rounds):
            for name, contender in contenders.items():
                used = meters[name].read()
                result = load(contender, arguments.seconds, loaded)
                result["per_cpu_second"] = result["events"] / (meters[name].read() - used)
                rounds[name].append(result)
                acknowledged += result["events"]
                tell(f"round {number + 1}, {name}", result)
            used = meters["single"].database_seconds()
            result = ceiling.run(arguments.seconds)
            used = meters["single"].database_seconds() - used
            result["per_cpu_second"] = result["events"] / used
            rounds["ceiling"].append(result)
            acknowledged += result["events"]
            tell(f"round {number + 1}, ceiling", result)
        stored = count(database) - before
    return report(rounds, acknowledged, stored)


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6.0, help="of each contender's turn")
    return parser.parse_args()


def prepare(database: str) -> int:
    with psycopg.connect(database) as connection:
        source_id = connection.execute(_PREPARE).fetchone()[0]
        connection.execute(_KEY, [source_id])
    return source_id


def load(contender: dict, seconds: float, core: int | None) -> dict:
    """One turn of a contender; returns what bench.load prints."""
    command = [sys.executable, "-m", "bench.load"]
    if core is not None:
        command = ["taskset", "-c", str(core), *command]
    job = {**contender, "key": "pk_bench", "seconds": seconds}
    done = subprocess.run(
        command, cwd=ROOT, input=json.dumps(job), stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout)


def count(database: str) -> int:
    with psycopg.connect(database) as connection:
        return connection.execute("SELECT count(*) FROM tracking_event").fetchone()[0]


def tell(name: str, result: dict) -> None:
    print(
        f"{name:16} {result['per_second']:9,.0f} events/s   p50 {result['p50_ms']:6.1f} ms"
        f"   p99 {result['p99_ms']:6.1f} ms   failed {result['failed']}"
        f"   {result['per_cpu_second']:9,.0f} events/CPU s",
        flush=True,
    )


def report(rounds: dict[str, list[dict]], acknowledged: int, stored: int) -> int:
    is_met = acknowledged == stored
    print(f"\nacknowledged {acknowledged:,}, stored {stored:,}")
    for name, other, target in TARGETS:
        speed, base = middle(rounds, name, "per_second"), middle(rounds, other, "per_second")
        thrift = middle(rounds, name, "per_cpu_second") / middle(rounds, other, "per_cpu_second")
        is_met &= speed / base >= target
        print(
            f"{name:8} {speed:9,.0f} events/s = {speed / base:5.2f} × {other} ({base:,.0f});"
            f" per second of CPU {thrift:5.2f} ×   target ≥ {target:g} ×"
        )
    return 0 if is_met else 1


def middle(rounds: dict[str, list[dict]], name: str, figure: str) -> float:
    return statistics.median(result[figure] for result in rounds[name])


if __name__ == "__main__":
    sys.exit(main())
