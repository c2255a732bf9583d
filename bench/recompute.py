"""How quickly is everybody scored anew? Run: python -m bench.recompute [--leads N] [--events N]

Builds leads and events in a scratch database beside DATABASE_URL's and prints,
from one run, as ratios:

* a full recompute (weights changed: one statement over the features, written to the standings)
  against one SQL GROUP BY with decay over the raw events, a loop with the ORM (extrapolated from
  a sample), and the mere arithmetic over all events in memory (numpy),
* a rebuild of everything, and of one new signal (that is what a changed condition or half-life
  is) against the same GROUP BY,
* touched leads: batches of 1,000 new events are stored, and what the relay does about them is
  measured, from the work rows to the standings. In wall time, and in computing time: that of
  this process and of its database session, which neighbours on the machine blur less.

Ends with 1 when a target is missed.
"""
# ruff: noqa: E402 (Django must be set up before models can be imported)

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "funnel_app.settings")
os.environ["STATEMENT_TIMEOUT_MS"] = "0"
os.environ["LOG_LEVEL"] = "ERROR"  # no broker is needed here
import django

django.setup()

from django.db import connection, transaction

from bench.computing import computed
from bench.other_ways import KINDS, Floor, run_group_by, time_orm_loop
from leads.models import Lead
from scoring import drafting, rescore
from scoring.models import Signal
from tracking.models import Event, Source

BATCH_OF_EVENTS = 1_000
SAMPLE_OF_LOOP = 300
DAYS = 540
SHARES = (44, 8, 6, 4, 24, 10, 3, 1)
# How many times as long as the other side it may take (docs/decisions.md).
MOST_OF_GROUP_BY, MOST_OF_LOOP, MOST_OF_FLOOR = 1 / 7, 1 / 1000, 4
MOST_FOR_ONE_SIGNAL = 1.5
EVENTS_PER_SECOND = 10_000


def build(leads: int, events: int) -> None:
    source = Source.objects.create(name="Website")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO leads_lead (public_id, email, is_email_verified, first_name, last_name,
                title, phone, company, country, persona, channel, source, medium, campaign,
                custom, stage, stage_entered_at, cycle, episode_seq)
            SELECT gen_random_uuid(), 'lead' || n || '@company' || n %% 7000 || '.example', false,
                   'Kim', 'No' || n, (ARRAY['CEO', 'Head of IT', 'Engineer', ''])[n %% 4 + 1],
                   '', '', (ARRAY['DE', 'US', 'BR', ''])[n %% 4 + 1], '', 'unknown', '', '', '',
                   jsonb_build_object('industry', 'Automotive', 'employee_count', n %% 9000),
                   'lead', now(), 1, 1
              FROM generate_series(1, %s) n
            """,
            [leads],
        )
        cursor.execute(
            """
            INSERT INTO leads_stageepisode (lead_id, seq, from_stage, stage, entry_kind,
                starts_cycle, cycle, entered_at, exit_kind, is_pass_through, is_date_unknown,
                actor_kind, actor_label, reason, is_override, criteria)
            SELECT id, 1, '', 'lead', 'captured', false, 1, now(), '', false, false,
                   'system', 'bench', '', false, '[]' FROM leads_lead
            """
        )
    copy_events(source, events)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def copy_events(source: Source, count: int) -> None:
    """Events as the collector stores them, in order of time, a few leads far busier than most."""
    began, step = datetime.now(UTC) - timedelta(days=DAYS), timedelta(days=DAYS) / count
    copy_some(source, count, lambda number: began + step * number, random.Random(1), "m")


def copy_some(
    source: Source, count: int, at: Callable[[int], datetime], chance: random.Random, prefix: str
) -> None:
    """`count` events of leads that they already belong to; `at` gives each its instant."""
    ids = list(Lead.objects.order_by("pk").values_list("pk", flat=True))
    kinds = chance.choices(KINDS, SHARES, k=count)
    columns = (
        "source_id, message_id, kind, name, occurred_at, received_at, anonymous_id, user_id,"
        " lead_id, url, path, referrer, title, user_agent, properties, context, is_trusted, verdict"
    )
    into = f"COPY tracking_event ({columns}) FROM STDIN"
    with (
        connection.cursor() as cursor,
        cursor.copy(into) as copy,
    ):
        for number, kind in enumerate(kinds):
            when = at(number)
            path = f"/{kind}/{chance.randrange(40)}"
            copy.write_row(
                (source.pk, f"{prefix}{number}", kind, kind, when, when, "", "",
                 ids[int(len(ids) * chance.random() ** 1.5)], f"https://www.example{path}", path,
                 "", "A page", "", '{"asset": "guide"}', "{}", False, 0)
            )  # fmt: skip


def seconds(work: Callable[[], object], rounds: int = 1) -> float:
    """The median time of `rounds` runs."""
    times = []
    for _round in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def touch(batches: int, *, anew: bool = False) -> tuple[float, float]:
    """Events a second through the work rows, features and standings: by wall and by computing.

    `anew`: as if more had changed than that events came, so all of their leads' are counted.
    """
    source, chance = Source.objects.get(), random.Random()
    wall = computing = 0.0
    for number in range(-1, batches):  # the first one warms up
        after = Event.objects.order_by("-pk").values_list("pk", flat=True)[0]
        copy_some(source, BATCH_OF_EVENTS, lambda _n: datetime.now(UTC), chance, f"t{after}-")
        ids = list(Event.objects.filter(pk__gt=after).values_list("pk", flat=True))
        with transaction.atomic():
            touched = rescore.enqueue_events(ids)
            if anew:
                rescore.enqueue(touched)
        began, spent = time.perf_counter(), computed()
        while rescore.drain():
            pass
        if number >= 0:
            wall += time.perf_counter() - began
            computing += computed() - spent
    return batches * BATCH_OF_EVENTS / wall, batches * BATCH_OF_EVENTS / computing


def measure_touched() -> bool:
    by_wall, by_computing = touch(20)
    is_met = by_computing >= EVENTS_PER_SECOND
    name = "touched leads, batches of 1,000 new events"
    print(
        f"{name:44}{by_wall:9,.0f} events/s; {by_computing:,.0f} by computing time;"
        f" target ≥ {EVENTS_PER_SECOND:,}: {word(is_met)}"
    )
    by_wall, by_computing = touch(5, anew=True)
    name = "the same, counted anew from all events"
    print(f"{name:44}{by_wall:9,.0f} events/s; {by_computing:,.0f} by computing time", flush=True)
    return is_met


def add_signal() -> Signal:
    """What an admin makes who wants another condition or half-life: a new signal."""
    signal = Signal(
        axis="interest",
        key=f"changed-{Signal.objects.count()}",
        label="Looked at prices or at the guide",
        event_kind="pricing_page_viewed",
        conditions=[{"field": "path", "operator": "starts_with", "value": "/pricing"}],
        half_life_days=30,
    )
    drafting.prepare_signal(signal)
    signal.save()
    return signal


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", action="store_true", help="use the scratch database again")
    chosen = parser.parse_args()
    name = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = "bench_recompute"
    connection.creation.create_test_db(verbosity=0, autoclobber=True, keepdb=chosen.keep)
    try:
        if not Lead.objects.exists():
            print(f"building {chosen.leads:,} leads, {chosen.events:,} events …", flush=True)
            build(chosen.leads, chosen.events)
        is_met = measure(chosen.rounds)
    finally:
        if not chosen.keep:
            connection.creation.destroy_test_db(name, verbosity=0)
    return 0 if is_met else 1


def measure(rounds: int) -> bool:
    """Print all figures; returns whether every target is met."""
    print(f"{Lead.objects.count():,} leads, {Event.objects.count():,} events", flush=True)
    rebuilt = seconds(rescore.rebuild)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    say("rebuild of all features from the events", rebuilt)
    verdicts = [measure_touched()]
    verdicts += compare(rounds)
    say("decay of all standings, in chunks", seconds(rescore.refresh))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{'memory of this process, at its peak':44}{peak / 1024:9,.0f} MiB")
    return all([*verdicts, *compare_in_python(rounds)])


def compare(rounds: int) -> list[bool]:
    """Turn by turn, so that whatever else the machine does hits all alike."""
    turns = [
        (
            seconds(run_group_by),
            seconds(rescore.recompute_all),
            seconds(partial(rescore.rebuild, [add_signal()])),
            seconds(partial(run_group_by, on_one_core=True)),
        )
        for _round in range(rounds)
    ]
    group_by, own, one, alone = (statistics.median(side) for side in zip(*turns, strict=True))
    say("one GROUP BY with decay over the events", group_by)
    say(
        "the same on one core, as a rebuild works", alone, f"one new signal {one / alone:.3g} of it"
    )
    return [
        hold("full recompute, written", own, "the GROUP BY", group_by, MOST_OF_GROUP_BY),
        hold("rebuild of one new signal", one, "the GROUP BY", group_by, MOST_FOR_ONE_SIGNAL),
    ]


def compare_in_python(rounds: int) -> list[bool]:
    """The loop that one would write first, and the arithmetic that nobody can avoid."""
    floor = Floor()
    turns = [(seconds(floor.run), seconds(rescore.recompute_all)) for _round in range(rounds)]
    least, own = (statistics.median(side) for side in zip(*turns, strict=True))
    loop = time_orm_loop(SAMPLE_OF_LOOP)
    say("the arithmetic over all events in memory", least)
    say("a loop with the ORM, extrapolated", loop)
    return [
        hold("full recompute, written", own, "the arithmetic", least, MOST_OF_FLOOR),
        hold("full recompute, written", own, "the loop", loop, MOST_OF_LOOP),
    ]


def hold(what: str, own: float, than: str, other: float, most: float) -> bool:
    """Print how long it took compared to something else; whether that is within its target."""
    is_met = own <= most * other
    say(what, own, f"{own / other:.4g} of {than}; target ≤ {most:.4g}: {word(is_met)}")
    return is_met


def word(is_met: bool) -> str:
    return "met" if is_met else "MISSED"


def say(what: str, spent: float, note: str = "") -> None:
    print(f"{what:44}{spent:9.2f} s  {note}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
