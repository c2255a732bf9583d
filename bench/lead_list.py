"""How quick is the lead list? Run: python -m bench.lead_list [--leads 100000] [--explain NAME]

Builds that many leads in a scratch database beside DATABASE_URL's, then opens
every filter and every order that the page offers, on a first page and on a deep
one, and prints the time in the database. The last column is the ratio to the
same page by OFFSET.
"""
# ruff: noqa: E402 (Django must be set up before models can be imported)

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "funnel_app.settings")
import django

django.setup()

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import localdate

from leads.filters import LeadFilter
from leads.models import Account, Lead, Standing
from leads.paging import LEAD_SORTS, PAGE_SIZE, read_page
from leads.queries import as_rows, count_up_to, leads_for
from users.models import Team, User

TARGET_MS = 50
ROUNDS = 15
DEEP = 0.4  # how far into the list the deep page lies


def build(leads: int) -> None:
    """People and leads in the scratch database."""
    sql = (Path(__file__).parent / "many_leads.sql").read_text()
    with transaction.atomic(), connection.cursor() as cursor:
        teams = [Team.objects.create(name=name) for name in ("North", "South")]
        for role, number in (("rep", 12), ("manager", 1), ("marketer", 1)):
            for i in range(number):
                User.objects.create_user(f"{role}{i}@example.com", role=role, team=teams[i % 2])
        cursor.execute("SET LOCAL statement_timeout = 0")
        cursor.execute(sql, {"leads": leads})
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("VACUUM ANALYZE")


def filters() -> dict[str, LeadFilter]:
    today, owner = localdate(), User.objects.filter(role="rep").first()
    return {
        "none": LeadFilter(),
        "text: rare": LeadFilter(text="person77777"),
        "text: common name": LeadFilter(text="müller"),
        "text: one letter": LeadFilter(text="a"),
        "text: two words": LeadFilter(text="anna plant"),
        "text: no match": LeadFilter(text="zzzz nobody"),
        "stage: lead": LeadFilter(stage="lead"),
        "stage: customer": LeadFilter(stage="customer"),
        "channel": LeadFilter(channel="event"),
        "source": LeadFilter(source="capterra"),
        "source: no match": LeadFilter(source="nowhere"),
        "owner": LeadFilter(owner_id=owner.pk),
        "nobody": LeadFilter(is_unowned=True),
        "team": LeadFilter(team_id=owner.team_id),
        "country": LeadFilter(country="KR"),
        "quadrant": LeadFilter(quadrant="both"),
        "score range": LeadFilter(score_min=Decimal(60), score_max=Decimal(61)),
        "account": LeadFilter(account_id=Account.objects.first().pk),
        "created": LeadFilter(entered_from=today - timedelta(30), entered_to=today),
        "reached": LeadFilter(reached="mql", entered_from=today - timedelta(90)),
        "reached all": LeadFilter(reached="mql"),
        "four at once": LeadFilter(
            stage="qualified", channel="email", country="DE", quadrant="both"
        ),
        "contradiction": LeadFilter(stage="customer", quadrant="neither", country="BR"),
    }


def measure(action: Callable[[], object]) -> float:
    """p95 of the time in milliseconds."""
    times = []
    for _round in range(ROUNDS):
        began = time.perf_counter()
        action()
        times.append((time.perf_counter() - began) * 1000)
    return statistics.quantiles(times, n=20)[-1]


def measure_one(user: User, wanted: LeadFilter, sort_name: str) -> tuple[float, float, float]:
    """(first page, deep page, the same by OFFSET), p95 in milliseconds."""
    sort, leads = LEAD_SORTS[sort_name], leads_for(user, wanted)
    rows = as_rows(leads)
    first = measure(lambda: read_page(rows, sort))
    place = int(count_up_to(leads, 1_000_000).number * DEEP)
    order = "-place" if sort.is_descending else "place"
    ordered = rows.annotate(place=sort.expression).order_by(order, "pk")
    anchor = next(iter(ordered.values_list("pk", flat=True)[place : place + 1]), None)
    deep = measure(lambda: read_page(rows, sort, after=anchor))
    offset = measure(lambda: list(ordered[place : place + PAGE_SIZE]))
    return first, deep, offset


def run(users: dict[str, User], only: str) -> float:
    """Print the table; returns the slowest page in milliseconds."""
    worst = 0.0
    print(f"{'who':9}{'filter':20}{'order':10}{'first':>8}{'deep':>8}{'offset':>8}{'ratio':>7}")
    for role, user in users.items():
        for name, wanted in filters().items():
            if only and only not in name:
                continue
            counting = measure(partial(count_up_to, leads_for(user, wanted)))
            print(f"{role:9}{name:20}{'count':10}{counting:8.1f}")
            for sort_name in LEAD_SORTS:
                first, deep, offset = measure_one(user, wanted, sort_name)
                worst = max(worst, first, deep)
                mark = " slow" if max(first, deep) > TARGET_MS else ""
                ratio = offset / deep if deep else 0
                print(
                    f"{'':29}{sort_name:10}{first:8.1f}{deep:8.1f}{offset:8.1f}{ratio:7.1f}{mark}"
                )
    return worst


def explain(user: User, wanted: LeadFilter, sort_name: str) -> None:
    with CaptureQueriesContext(connection) as captured:
        read_page(as_rows(leads_for(user, wanted)), LEAD_SORTS[sort_name])
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS) " + captured[-1]["sql"])
        print("\n".join(row[0] for row in cursor.fetchall()))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--leads", type=int, default=100_000)
    options.add_argument("--only", default="", help="filters whose name contains this")
    options.add_argument("--explain", nargs=3, metavar=("ROLE", "FILTER", "ORDER"))
    options.add_argument("--keep", action="store_true", help="use the scratch database again")
    chosen = options.parse_args()
    connection.settings_dict["TEST"]["NAME"] = f"bench_{connection.settings_dict['NAME']}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True, keepdb=chosen.keep)
    try:
        if not Standing.objects.exists():
            build(chosen.leads)
        users = {r: User.objects.filter(role=r).first() for r in ("marketer", "manager", "rep")}
        print(f"{Lead.objects.count():,} leads; p95 of {ROUNDS} rounds in milliseconds\n")
        if chosen.explain:
            role, name, sort_name = chosen.explain
            explain(users[role], filters()[name], sort_name)
        else:
            print(f"\nslowest page: {run(users, chosen.only):.1f} ms, target {TARGET_MS} ms")
    finally:
        connection.creation.destroy_test_db("", verbosity=0, keepdb=chosen.keep)


if __name__ == "__main__":
    main()
