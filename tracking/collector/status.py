"""/livez, /readyz and /metrics: for supervisors and monitoring, without sign-in."""

from __future__ import annotations

import secrets

from django.conf import settings

from tracking.collector import answers
from tracking.collector.app import Collector
from tracking.collector.database import DatabaseAway
from tracking.models import TurnedAway
from tracking.steps import STEPS

PLACES = frozenset({"/livez", "/readyz", "/metrics"})

_COUNTS = """
SELECT outcome, reason, sum(count)::bigint FROM tracking_ingestcount GROUP BY 1, 2 ORDER BY 1, 2
"""
_WORK = """
SELECT count(*), coalesce(extract(epoch FROM now() - min(e.received_at)), 0)::float,
       (SELECT count(*) FROM tracking_quarantinedmessage WHERE replayed_at IS NULL)
  FROM tracking_pendingevent p JOIN tracking_event e ON e.id = p.event_id
"""


async def serve(collector: Collector, scope, send) -> None:
    """Answer one of PLACES."""
    if scope["path"] == "/livez":
        await answers.answer(send, 200, b"ok\n", kind=b"text/plain")
    elif scope["path"] == "/readyz":
        await _ready(collector, send)
    elif _may_read_metrics(scope):
        await _metrics(collector, send)
    else:
        await answers.refuse(send, 404)


async def _ready(collector: Collector, send) -> None:
    try:
        await collector.status_link.run("SELECT 1")
    except DatabaseAway:
        away = (b"retry-after", b"2")
        await answers.answer(send, 503, b"the database is away\n", away, kind=b"text/plain")
    else:
        await answers.answer(send, 200, b"ready\n", kind=b"text/plain")


def _may_read_metrics(scope) -> bool:
    """With METRICS_TOKEN: whoever has it. Without: only this machine, and not through a proxy."""
    headers = dict(scope["headers"])
    if settings.METRICS_TOKEN:
        given = headers.get(b"authorization", b"").removeprefix(b"Bearer ")
        return secrets.compare_digest(given, settings.METRICS_TOKEN.encode())
    client = scope.get("client")
    is_here = client is None or client[0] in ("127.0.0.1", "::1")
    return is_here and b"x-forwarded-for" not in headers and b"forwarded" not in headers


async def _metrics(collector: Collector, send) -> None:
    lines = [
        "# TYPE funnel_ingest_waiting_bytes gauge",
        f"funnel_ingest_waiting_bytes {collector.writer.waiting_bytes}",
        "# HELP funnel_ingest_guarded_total Requests that only the last-resort guard caught.",
        "# TYPE funnel_ingest_guarded_total counter",
        f"funnel_ingest_guarded_total {collector.guarded}",
        "# HELP funnel_ingest_turned_away_total Requests that this process did not let in.",
        "# TYPE funnel_ingest_turned_away_total counter",
        *_turned_away(collector),
        "# TYPE funnel_database_up gauge",
    ]
    try:
        counts = await collector.status_link.run(_COUNTS)
        [(waiting, age, dead)] = await collector.status_link.run(_WORK)
    except DatabaseAway:
        lines.append("funnel_database_up 0")
    else:
        lines += ["funnel_database_up 1", "# TYPE funnel_ingest_messages_total counter"]
        lines += [
            f'funnel_ingest_messages_total{{outcome="{outcome}",reason="{reason}"}} {count}'
            for outcome, reason, count in counts
        ]
        lines += _steps(counts)
        lines += [
            "# TYPE funnel_events_pending gauge",
            f"funnel_events_pending {waiting}",
            "# TYPE funnel_events_oldest_pending_seconds gauge",
            f"funnel_events_oldest_pending_seconds {age:.3f}",
            "# TYPE funnel_events_dead gauge",
            f"funnel_events_dead {dead}",
        ]
    body = ("\n".join(lines) + "\n").encode()
    await answers.answer(send, 200, body, kind=b"text/plain; version=0.0.4")


def _turned_away(collector: Collector) -> list[str]:
    totals = collector.turnaways.totals
    return [
        f'funnel_ingest_turned_away_total{{reason="{reason}"}} {totals[reason]}'
        for reason in TurnedAway.Reason.values
    ]


def _steps(counts: list[tuple]) -> list[str]:
    """How many messages came to each step, and how many it dropped for which reason."""
    rejected = {reason: count for outcome, reason, count in counts if outcome == "rejected"}
    received = sum(count for outcome, _reason, count in counts if outcome == "received")
    lines = ["# TYPE funnel_ingest_step_messages_total counter"]
    drops = ["# TYPE funnel_ingest_dropped_total counter"]
    for step in STEPS:
        lines.append(f'funnel_ingest_step_messages_total{{step="{step.name}"}} {received}')
        for reason in step.reasons:
            count = rejected.get(reason.value, 0)
            received -= count
            labels = f'step="{step.name}",reason="{reason.value}"'
            drops.append(f"funnel_ingest_dropped_total{{{labels}}} {count}")
    return lines + drops
