"""How quick is the timeline of a lead with 50,000 events? Run: python -m bench.timeline

Stores the events of one lead in a scratch database beside DATABASE_URL's (two years, every
tenth by a machine, one in a hundred late), folds their visits, then opens the timeline's pages
the way a browser does and prints p95, as wall time and as computing time.
"""
# ruff: noqa: E402 (Django must be set up before models can be imported)

from __future__ import annotations

import argparse
import os
import random
from functools import partial

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "funnel_app.settings")
import django

django.setup()

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, setup_test_environment

from bench.computing import measure
from leads.actors import Actor
from leads.capture import capture_lead
from leads.models import Lead
from tracking import visiting
from tracking.models import Source
from users.models import User

TARGET_MS = 100
ROUNDS = 8
EVENTS = """
INSERT INTO tracking_event (source_id, message_id, kind, name, occurred_at, sent_at, received_at,
    anonymous_id, user_id, lead_id, url, path, referrer, title, user_agent, properties, context,
    is_trusted, verdict)
SELECT %(source)s, 'm' || n, (ARRAY['page_viewed', 'link_clicked', 'email_opened', 'email_sent',
           'file_downloaded', 'page_viewed', 'page_viewed'])[1 + n %% 7], '', at, at,
       at + CASE WHEN n %% 100 = 0 THEN interval '3 days' ELSE interval '1 second' END,
       CASE WHEN n %% 7 IN (2, 3) THEN '' ELSE 'visitor' END, '', %(lead)s,
       'https://us.example/page/' || n %% 40, '/page/' || n %% 40, '', '', '', '{}', '{}', true,
       CASE WHEN n %% 10 = 0 THEN 2 ELSE 0 END
  FROM (SELECT n, date_trunc('day', now()) - make_interval(
               days => (n * %(days)s / %(events)s)::integer,
               secs => 3600 * (n %% 5) + n * 7 %% 1500)  -- five visits a day
               AS at FROM generate_series(1, %(events)s) n) told
"""


def build(events: int, days: int) -> Lead:
    """One lead with so many events, spread over so many days."""
    lead, _is_new = capture_lead(by=Actor.system("bench"), email="kim@globex.example")
    source = Source.objects.create(name="bench")
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(
            EVENTS, {"source": source.pk, "lead": lead.pk, "days": days, "events": events}
        )
    visiting.rebuild()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return lead


def fetch(client: Client, address: str, query: dict) -> None:
    assert client.get(address, query).status_code == 200


def explain(client: Client, address: str, query: dict) -> None:
    """Where the time goes: the slowest statements of one request."""
    with CaptureQueriesContext(connection) as captured:
        client.get(address, query)
    slowest = sorted(captured.captured_queries, key=lambda q: -float(q["time"]))[:3]
    for statement in slowest:
        print(f"    {float(statement['time']) * 1000:6.0f} ms  {statement['sql'][:110]}")


def run(client: Client, lead: Lead) -> float:
    """Print each page's p95; returns the slowest."""
    address = f"/leads/{lead.pk}/timeline/"
    first = client.get(address).context["timeline"]
    folded = next(entry for entry in first.entries if entry.count > 1)
    deep = first.before
    for _page in range(random.Random(1).randint(8, 12)):
        deep = client.get(address, {"before": deep.isoformat()}).context["timeline"].before or deep
    queries = {
        "first page": (address, {}),
        "deep page": (address, {"before": deep.isoformat()}),
        "a rare kind": (address, {"kind": "file_downloaded"}),
        "a kind it lacks": (address, {"kind": "demo_requested"}),
        "a channel": (address, {"channel": "direct"}),
        "a channel it lacks": (address, {"channel": "display"}),
        "a folded line": (f"{address}group/", {"group": folded.group}),
        "the lead page": (f"/leads/{lead.pk}/", {}),
    }
    worst = 0.0
    for name, (where, query) in queries.items():
        wall, computing = measure(partial(fetch, client, where, query), ROUNDS)
        worst = max(worst, computing)
        print(f"{name:20}{wall:8.1f} ms wall {computing:8.1f} ms computing")
        if computing > TARGET_MS:
            explain(client, where, query)
    return worst


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=50_000)
    options.add_argument("--days", type=int, default=730)
    chosen = options.parse_args()
    setup_test_environment()
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}
    connection.settings_dict["TEST"]["NAME"] = f"bench_{connection.settings_dict['NAME']}"
    connection.creation.create_test_db(verbosity=0, autoclobber=True)
    try:
        lead = build(chosen.events, chosen.days)
        client = Client()
        client.force_login(User.objects.create_user("mia@example.com", role="marketer"))
        print(f"{chosen.events:,} events in {chosen.days} days; p95\n")
        print(f"\nslowest, computing: {run(client, lead):.1f} ms, target {TARGET_MS} ms")
    finally:
        connection.creation.destroy_test_db("", verbosity=0)


if __name__ == "__main__":
    main()
