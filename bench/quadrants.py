"""How quick is the quadrant page? Run: python -m bench.quadrants [--leads 100000]

Builds that many leads in a scratch database beside DATABASE_URL's. Prints, as a marketer and as
a manager, p95 of what asks all the leads (raw SQL for bins and for figures; counting them by
whole points, once a minute), and of the page, the fragment that a moved line asks for, and the
picture through the product's whole Django stack, in this process: in all, and in the database.
The ratio is to the raw SQL that would give the same. The parts that ask the leads each time, a
line at a tenth of a point and a part of the picture, are printed without a target.

Ends with 1 when a target is missed.
"""
# ruff: noqa: E402 (Django must be set up before models can be imported)

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections.abc import Callable
from decimal import Decimal
from functools import partial

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "funnel_app.settings")
import django

django.setup()

from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from bench.lead_list import ROUNDS, build, measure
from leads.filters import LeadFilter
from leads.models import Lead, Standing
from scoring import quadrants
from scoring.models import ModelVersion, Rule
from scoring.quadrant_cells import count_crowd
from scoring.quadrants import Cuts
from users.models import User

PAGE_MS, DATABASE_MS, RATIO, MOST_BYTES = 100, 20, 30, 50_000
PAGE, PICTURE = "/scoring/quadrants/", "/scoring/quadrants/picture/"
WHAT_IF = {"fit_cut": "33", "interest_cut": "12", "threshold": "47"}
FINE = WHAT_IF | {"fit_cut": "33.3"}
CLOSE = {"fit_from": "30", "fit_to": "31", "interest_from": "30", "interest_to": "32"}
# Vectors as long as the signals of the version; one lead in fifty is blocked.
FEATURES = """
INSERT INTO scoring_leadfeature (lead_id, sums, anchor_at, folded_at)
SELECT id, array_fill(random(), ARRAY[%(longest)s]) , now(), now() FROM leads_lead;
UPDATE scoring_leadfeature SET sums[%(blocking)s] = CASE WHEN lead_id %% 50 = 0 THEN 1 ELSE 0 END
"""


def add_features(version: ModelVersion) -> None:
    rules = Rule.objects.filter(version=version).select_related("signal")
    longest = max(rule.signal.ordinal for rule in rules)
    blocking = [rule.signal.ordinal for rule in rules if rule.is_blocking]
    with connection.cursor() as cursor:
        for statement in FEATURES.split(";"):
            for ordinal in blocking:
                cursor.execute(statement, {"longest": longest, "blocking": ordinal})
                if "INSERT" in statement:
                    break
        cursor.execute("VACUUM FULL scoring_leadfeature")
        cursor.execute("ANALYZE")


def in_database(action: Callable[[], object]) -> float:
    """p95 of the time that the statements of an action take, in milliseconds."""
    times = []
    for _round in range(ROUNDS):
        with CaptureQueriesContext(connection) as captured:
            action()
        times.append(sum(float(query["time"]) for query in captured) * 1000)
    return statistics.quantiles(times, n=20)[-1]


def run(role: str, version: ModelVersion) -> bool:
    """Print the figures of one person; whether all targets are met."""
    user = User.objects.filter(role=role).first()
    assert user is not None
    client = Client()
    client.force_login(user)
    leads = quadrants.scored_leads(user, LeadFilter())
    crowd = count_crowd(leads, version)
    window = quadrants.whole_plane(crowd, version)
    print(f"{role}: {leads.count():,} leads in {len(crowd.cells):,} cells")
    bins = measure(partial(quadrants.read_bins, leads, window))
    tenths = Cuts(
        *(
            cut + Decimal("0.1")
            for cut in (version.fit_cut, version.interest_cut, version.threshold)
        )
    )
    figures = measure(partial(quadrants.figures, leads, version, tenths, crowd))
    print(f"  {'raw SQL, bins':30}{bins:8.1f} ms")
    print(f"  {'raw SQL, figures':30}{figures:8.1f} ms")
    print(
        f"  {'counting by whole points':30}{measure(partial(count_crowd, leads, version)):8.1f} ms"
    )
    moved = partial(client.get, PAGE, headers={"HX-Request": "true"})
    met = [
        show("page", partial(client.get, PAGE), raw=figures),
        show("other cuts", partial(moved, WHAT_IF), raw=figures),
        show("picture", partial(client.get, PICTURE), raw=bins),
    ]
    show("other cuts, in tenths", partial(moved, FINE), raw=figures)
    show("picture, close", partial(client.get, PICTURE, CLOSE), raw=bins)
    whole, close = client.get(PICTURE), client.get(PICTURE, CLOSE)
    assert close.json()["dots"] is not None, "The close window must be close enough for dots."
    size = max(len(whole.content), len(close.content))
    print(f"  {'bytes of a picture':30}{len(whole.content):8,} whole, {len(close.content):,} close")
    return all(met) and size <= MOST_BYTES


def show(name: str, action: Callable[[], object], *, raw: float) -> bool:
    """Print one row; `raw` is what raw SQL takes, in milliseconds. Whether the targets are met."""
    action()  # counts the leads, when nobody has within the minute
    whole, database = measure(action), in_database(action)
    ratio = raw / max(database, 0.1)
    print(
        f"  {name:30}{whole:8.1f} ms, in the database {database:6.1f} ms: 1/{ratio:.0f} of raw SQL"
    )
    return whole <= PAGE_MS and database <= DATABASE_MS and ratio >= RATIO


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--leads", type=int, default=100_000)
    chosen = options.parse_args()
    connection.settings_dict["TEST"]["NAME"] = f"bench_{connection.settings_dict['NAME']}"
    # Migrations take their time on a busy machine.
    limits = " -c idle_in_transaction_session_timeout=0 -c statement_timeout=0"
    connection.settings_dict["OPTIONS"]["options"] += limits
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        build(chosen.leads)
        version = ModelVersion.objects.get(number=1)
        add_features(version)
        print(f"{Lead.objects.count():,} leads, {Standing.objects.count():,} standings\n")
        storages = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
        default = {"BACKEND": "django.core.files.storage.FileSystemStorage"}
        with override_settings(
            STORAGES={"default": default, "staticfiles": storages}, ALLOWED_HOSTS=["testserver"]
        ):
            met = [run(role, version) for role in ("marketer", "manager")]
    finally:
        connection.creation.destroy_test_db("", verbosity=0)
    targets = f"{PAGE_MS} ms, {DATABASE_MS} ms in the database, 1/{RATIO}, {MOST_BYTES:,} bytes"
    print(f"\ntargets ({targets}): {'met' if all(met) else 'missed'}")
    sys.exit(0 if all(met) else 1)


if __name__ == "__main__":
    main()
