"""How else everybody could be scored: what bench.recompute compares itself with, in one run."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
from django.db import connection, transaction

from leads.models import Lead, Standing
from tracking.models import Event, Verdict

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
POINTS = (1, 8, 8, 10, 1, 4, 15, 35)
HALF_LIVES = (14, 21, 45, 45, 14, 21, 60, 60)


def run_group_by(*, on_one_core: bool = False) -> None:
    """The score as one would write it in SQL, over the events, without anything prepared.

    PostgreSQL shares this work among parallel workers, which it never does for writing.
    """
    age = "date_part('epoch', now() - occurred_at) / 86400"
    branches = " ".join(
        f"WHEN '{kind}' THEN {points} * power(2, -{age} / {half_life})"
        for kind, points, half_life in zip(KINDS, POINTS, HALF_LIVES, strict=True)
    )
    with transaction.atomic(), connection.cursor() as cursor:
        if on_one_core:
            cursor.execute("SET LOCAL max_parallel_workers_per_gather = 0")
        cursor.execute(f"""
            SELECT count(*), sum(score) FROM (
                SELECT lead_id, sum(CASE kind {branches} END) AS score
                  FROM tracking_event WHERE verdict < {Verdict.MACHINE:d} AND lead_id IS NOT NULL
                 GROUP BY lead_id) scores""")
        cursor.fetchall()


def time_orm_loop(sample: int) -> float:
    """Seconds for all leads, one by one with the ORM, from as many spread evenly over them."""
    ids = list(Lead.objects.order_by("pk").values_list("pk", flat=True))
    chosen = ids[:: max(1, len(ids) // sample)][:sample]
    worth = dict(zip(KINDS, zip(POINTS, HALF_LIVES, strict=True), strict=True))
    began = time.perf_counter()
    for lead_id in chosen:
        with transaction.atomic():
            _score_by_orm(lead_id, worth)
            transaction.set_rollback(True)
    return (time.perf_counter() - began) / len(chosen) * len(ids)


def _score_by_orm(lead_id: int, worth: dict[str, tuple[int, int]]) -> None:
    lead, now = Lead.objects.get(pk=lead_id), datetime.now(UTC)
    interest = 0.0
    for event in Event.objects.filter(lead=lead, verdict__lt=Verdict.MACHINE):
        points, half_life = worth.get(event.kind, (0, 1))
        age = (now - event.occurred_at).total_seconds() / 86400
        interest += points * 2 ** (-age / half_life)
    standing, _is_new = Standing.objects.get_or_create(lead=lead)
    standing.interest = Decimal(round(interest, 2))
    standing.save()


class Floor:
    """All events as columns in memory, where nothing but the arithmetic is left to do."""

    def __init__(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                f"""SELECT string_agg(int4send(lead_id::int), ''),
                           string_agg(int4send(array_position(%s::text[], kind::text) - 1), ''),
                           string_agg(
                               float8send(date_part('epoch', now() - occurred_at) / 86400), '')
                      FROM tracking_event
                     WHERE verdict < {Verdict.MACHINE:d} AND lead_id IS NOT NULL""",
                [list(KINDS)],
            )
            leads, kinds, ages = cursor.fetchone()
        self.leads = np.frombuffer(leads, dtype=">i4").astype(np.int32)
        self.kinds = np.frombuffer(kinds, dtype=">i4").astype(np.int32)
        self.ages = np.frombuffer(ages, dtype=">f8").astype(np.float64)

    def run(self) -> None:
        points, half_lives = np.array(POINTS, float), np.array(HALF_LIVES, float)
        weights = points[self.kinds] * np.exp2(-self.ages / half_lives[self.kinds])
        np.bincount(self.leads, weights)
