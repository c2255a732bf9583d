"""How quick is the quadrant page? Run: python -m bench.quadrants [--leads 100000]

Builds that many leads in a scratch database beside DATABASE_URL's. Prints, as a marketer and as
a manager, p95 of the query of the bins, of the query of the figures, and of the page, the
fragment that a moved line asks for, and the picture (whole, and close enough for dots) through
the product's whole Django stack, in this process; and how many bytes the picture has.

Ends with 1 when a target is missed.
"""
# ruff: noqa: E402 (Django must be set up before models can be imported)

from __future__ import annotations

import argparse
import os
import sys
from functools import partial

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "funnel_app.settings")
import django

django.setup()

from django.db import connection
from django.test import Client, override_settings

from bench.lead_list import build, measure
from leads.filters import LeadFilter
from leads.models import Lead, Standing
from scoring import quadrants
from scoring.models import ModelVersion, Rule
from scoring.quadrants import Cuts
from users.models import User

TARGET_MS, MOST_BYTES = 500, 50_000
PAGE, PICTURE = "/scoring/quadrants/", "/scoring/quadrants/picture/"
WHAT_IF = {"fit_cut": "33", "interest_cut": "12", "threshold": "47"}
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


def run(role: str, version: ModelVersion) -> bool:
    """Print the figures of one person; whether all targets are met."""
    user = User.objects.filter(role=role).first()
    assert user is not None
    client = Client()
    client.force_login(user)
    leads = quadrants.scored_leads(user, LeadFilter())
    window = quadrants.whole_plane(leads, version)
    figures = partial(quadrants.figures, leads, version, Cuts.of(version))
    whole = client.get(PICTURE)
    close = client.get(PICTURE, CLOSE)
    assert close.json()["dots"] is not None, "The close window must be close enough for dots."
    times = {
        "query of the bins": partial(quadrants.read_bins, leads, window),
        "query of the figures": figures,
        "picture": partial(client.get, PICTURE),
        "picture, close": partial(client.get, PICTURE, CLOSE),
        "page": partial(client.get, PAGE),
        "other cuts": partial(client.get, PAGE, WHAT_IF, headers={"HX-Request": "true"}),
    }
    print(f"{role}: {leads.count():,} leads")
    p95 = {name: measure(action) for name, action in times.items()}
    for name, milliseconds in p95.items():
        print(f"  {name:22}{milliseconds:8.1f} ms")
    size = max(len(whole.content), len(close.content))
    print(f"  {'bytes of a picture':22}{len(whole.content):8,} whole, {len(close.content):,} close")
    return max(p95.values()) <= TARGET_MS and size <= MOST_BYTES


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
    print(f"\ntargets ({TARGET_MS} ms, {MOST_BYTES:,} bytes): {'met' if all(met) else 'missed'}")
    sys.exit(0 if all(met) else 1)


if __name__ == "__main__":
    main()
