"""How quick is the funnel page? Run: python -m bench.funnel_page [--leads N] [--events N]

Builds leads, episodes and events in a scratch database beside DATABASE_URL's and
opens the page through the product's whole Django stack, in this process: all time
and 90 days, with and without a segment, as a marketer and as a manager. Prints
server time and queries of each, and, measured in the same rounds,

* the figures alone, from the roll-ups and from the episodes: their ratio,
* what a page costs that shows no figures (the password form), for comparison,
* the upkeep of the roll-ups per 1,000 changed leads.

Ends with 1 when a target is missed.
"""
# ruff: noqa: E402 (Django must be set up before models can be imported)

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest import mock

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "funnel_app.settings")
os.environ["STATEMENT_TIMEOUT_MS"] = "0"
import django

django.setup()

from django.conf import settings
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from bench.funnel_history import build
from bench.recompute import copy_events
from funnel_app.memory import settle_memory
from insights import folding, scope
from insights.filters import read_filters
from insights.models import StaleLead
from insights.queries import funnel_report, one_snapshot, read_freshness
from insights.reports import load
from leads.models import Lead
from tracking.models import Event, Source
from users.models import Team, User

TARGET_MS, MOST_QUERIES = 100, 20
PAGES = {
    "12 months": "",
    "all time": "?period=all",
    "90 days": "?period=90d",
    "all time, one channel": "?period=all&channel=organic_search",
    "90 days, one channel": "?period=90d&channel=organic_search",
    "all time, channel and country": "?period=all&channel=organic_search&country=DE",
}
# Settings of the packaged server, so that another one gives comparable figures.
SERVER = {"jit": "off", "random_page_cost": "1.1", "work_mem": "16MB"}
PLAIN_FILES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--keep", action="store_true", help="use the scratch database again")
    chosen = parser.parse_args()
    name = connection.settings_dict["NAME"]
    connection.settings_dict["TEST"]["NAME"] = "bench_funnel_page"
    connection.creation.create_test_db(verbosity=0, autoclobber=True, keepdb=chosen.keep)
    try:
        if not Lead.objects.exists():
            fill(chosen.leads, chosen.events)
        with override_settings(STORAGES=PLAIN_FILES, ALLOWED_HOSTS=["testserver"]):
            return measure(chosen.rounds)
    finally:
        if not chosen.keep:
            connection.creation.destroy_test_db(name, verbosity=0)


def fill(leads: int, events: int) -> None:
    print(f"building {leads:,} leads and {events:,} events …", flush=True)
    with connection.cursor() as cursor:
        database = connection.ops.quote_name(connection.settings_dict["NAME"])
        for setting, value in SERVER.items():
            cursor.execute(f"ALTER DATABASE {database} SET {setting} = '{value}'")
    connection.close()
    build(leads)
    copy_events(Source.objects.create(name="Website"), events)
    began = time.perf_counter()
    stays = folding.rebuild()
    print(f"{stays:,} stays rolled up in {time.perf_counter() - began:.1f} s")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def measure(rounds: int) -> int:
    settle_memory()  # as a web process does
    marketer = _user("marketer", None)
    manager = _user("manager", Team.objects.first())
    print(f"{Lead.objects.count():,} leads, {Event.objects.count():,} events, {rounds} rounds\n")
    print(f"{'server time of a page, ms':44}{'p50':>8}{'p95':>8}{'queries':>9}{'KB':>6}")
    verdicts = [
        report_page(marketer, name, f"/funnel/{query}", rounds) for name, query in PAGES.items()
    ]
    report_page(manager, "all time, a manager's team", "/funnel/?period=all", rounds)
    report_page(marketer, "for comparison: no figures", "/user/password/change/", rounds)
    print(f"\n{'figures alone, ms, median':44}{'roll-up':>8}{'raw':>8}{'ratio':>9}")
    for name, query in PAGES.items():
        compare(marketer, name, query)
    report_upkeep()
    return 0 if all(verdicts) else 1


def _user(role: str, team: Team | None) -> User:
    email = f"{role}@bench.example"
    known = User.objects.filter(email=email).first()
    return known or User.objects.create_user(email, "bench", role=role, team=team)


def report_page(user: User, name: str, url: str, rounds: int) -> bool:
    """Print one line; returns whether the page is within its targets."""
    client = Client()
    client.force_login(user)
    with CaptureQueriesContext(connection) as queries:
        response = client.get(url)
    query_count = len(queries)
    assert response.status_code == 200, response
    times = sorted(milliseconds(lambda: client.get(url)) for _round in range(rounds))
    p95 = statistics.quantiles(times, n=20)[-1]
    is_good = p95 < TARGET_MS and query_count <= MOST_QUERIES
    size = len(response.content) / 1000
    mark = "" if is_good else "  MISSED"
    line = f"{name:44}{statistics.median(times):8.1f}{p95:8.1f}{query_count:9}{size:6.0f}"
    print(line + mark, flush=True)
    return is_good


def milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def compare(user: User, name: str, query: str) -> None:
    params = dict(part.split("=") for part in query.lstrip("?").split("&") if part)

    def figures() -> None:
        with one_snapshot():
            freshness = read_freshness()
            funnel_report(user, read_filters(params, freshness.today), freshness)

    turns = []
    for _round in range(5):
        rolled_up = milliseconds(figures)
        with without_rollups():
            turns.append((rolled_up, milliseconds(figures)))
    fast, slow = (statistics.median(side) for side in zip(*turns, strict=True))
    print(f"{name:44}{fast:8.1f}{slow:8.1f}{slow / fast:8.1f}×", flush=True)


@contextmanager
def without_rollups() -> Iterator[None]:
    """Count from the episodes: stays are computed for each question instead of looked up."""
    raw = scope._MINE.replace("insights_stay", f"({load('stays', leads='')}) AS raw_stays")
    zone = {"zone": settings.REPORTING_TIME_ZONE}
    segment_sql = scope.Scope.segment_sql

    def with_zone(self: scope.Scope) -> scope.Rows:
        rows = segment_sql(self)
        return scope.Rows(rows.sql, rows.params | zone)

    with (
        mock.patch.object(scope.Scope, "slices", None),
        mock.patch.object(scope.Scope, "segment_sql", with_zone),
        mock.patch.object(scope, "_MINE", raw),
    ):
        yield


def report_upkeep() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE leads_lead"
            " SET channel = CASE channel WHEN 'email' THEN 'event' ELSE 'email' END"
            " WHERE id IN (SELECT id FROM leads_lead ORDER BY random() LIMIT 5000)"
        )
    count, began = StaleLead.objects.count(), time.perf_counter()
    while folding.drain(1000):
        pass
    spent = (time.perf_counter() - began) * 1000
    print(f"\n{'upkeep per 1,000 changed leads':44}{spent / count * 1000:8.1f} ms")


if __name__ == "__main__":
    sys.exit(main())
