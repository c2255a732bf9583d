"""How quickly is everybody scored anew? Run: python -m bench.recompute [--leads N] [--events N]

Builds leads and events in a scratch database beside DATABASE_URL's and prints,
from one run, as ratios:

* a full recompute (weights changed: one statement over the features, written to
  the standings) against one SQL GROUP BY with decay over the raw events,
* a rebuild of all hits, and of one signal's,
* touched leads folded in batches of 1,000 events.
"""
# ruff: noqa: E402 (Django must be set up before models can be imported)

from __future__ import annotations

import argparse
import os
import random
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "funnel_app.settings")
os.environ["STATEMENT_TIMEOUT_MS"] = "0"
import django

django.setup()

from django.db import connection, transaction

from leads.models import Lead
from scoring import folding, rescore
from scoring.choosing import these
from scoring.models import Signal
from tracking.models import Event, Source

TARGET = 1 / 3
BATCH_OF_EVENTS = 1_000
DAYS = 540
KINDS = (
    "page_viewed",
    "pricing_page_viewed",
    "file_downloaded",
    "form_submitted",
    "email_opened",
    "email_link_clicked",
    "webinar_attended",
    "demo_requested",
)
SHARES = (44, 8, 6, 4, 24, 10, 3, 1)
POINTS = (1, 8, 8, 10, 1, 4, 15, 35)
HALF_LIVES = (14, 21, 45, 45, 14, 21, 60, 60)


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
    chance = random.Random(1)
    ids = list(Lead.objects.order_by("pk").values_list("pk", flat=True))
    began, step = datetime.now(UTC) - timedelta(days=DAYS), timedelta(days=DAYS) / count
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
            at = began + step * number
            path = f"/{kind}/{chance.randrange(40)}"
            copy.write_row(
                (source.pk, f"m{number}", kind, kind, at, at, "", "",
                 ids[int(len(ids) * chance.random() ** 1.5)], f"https://www.example{path}", path,
                 "", "A page", "", '{"asset": "guide"}', "{}", False, 0)
            )  # fmt: skip


def group_by() -> str:
    """The other side: the score as one would write it without anything prepared."""
    age = "date_part('epoch', now() - occurred_at) / 86400"
    branches = " ".join(
        f"WHEN '{kind}' THEN {points} * power(2, -{age} / {half_life})"
        for kind, points, half_life in zip(KINDS, POINTS, HALF_LIVES, strict=True)
    )
    return f"""
        SELECT count(*), sum(score) FROM (
            SELECT lead_id, sum(CASE kind {branches} END) AS score
              FROM tracking_event WHERE verdict < 2 AND lead_id IS NOT NULL
             GROUP BY lead_id) scores"""


def seconds(work: Callable[[], object], rounds: int = 1) -> float:
    """The median time of `rounds` runs."""
    times = []
    for _round in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def run_group_by() -> None:
    with connection.cursor() as cursor:
        cursor.execute(group_by())
        cursor.fetchall()


def touch(batches: int) -> int:
    """Fold the leads of some batches of 1,000 recent events; returns the number of events."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT lead_id FROM tracking_event ORDER BY id DESC LIMIT %s",
            [batches * BATCH_OF_EVENTS],
        )
        touched = [row[0] for row in cursor.fetchall()]
    for start in range(0, len(touched), BATCH_OF_EVENTS):
        with transaction.atomic():
            rescore.set_limits()
            folding.fold(these(set(touched[start : start + BATCH_OF_EVENTS])))
    return len(touched)


def main() -> None:
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
        measure(chosen.rounds)
    finally:
        if not chosen.keep:
            connection.creation.destroy_test_db(name, verbosity=0)


def measure(rounds: int) -> None:
    print(f"{Lead.objects.count():,} leads, {Event.objects.count():,} events", flush=True)
    rebuilt = seconds(rescore.rebuild)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    say("rebuild of all features from the events", rebuilt)
    # Turn by turn, so that whatever else the machine does hits both alike.
    turns = [(seconds(run_group_by), seconds(rescore.recompute_all)) for _round in range(rounds)]
    other, own = (statistics.median(side) for side in zip(*turns, strict=True))
    say("one GROUP BY with decay over the events", other)
    verdict = "met" if own <= TARGET * other else "MISSED"
    say(
        "full recompute, written", own, f"{own / other:.2f} of it; target ≤ {TARGET:.2f}: {verdict}"
    )
    one = seconds(lambda: rescore.rebuild([Signal.objects.get(key="pricing_page")]))
    say("rebuild of one signal", one, f"{one / other:.2f} of it")
    say("decay of all standings, in chunks", seconds(rescore.refresh))
    began = time.perf_counter()
    folded = touch(20)
    rate = folded / (time.perf_counter() - began)
    print(f"{'touched leads, batches of 1,000 events':44}{rate:9,.0f} events/s")


def say(what: str, spent: float, note: str = "") -> None:
    print(f"{what:44}{spent:9.2f} s  {note}", flush=True)


if __name__ == "__main__":
    main()
