"""Leads with a past that the prediction learns from: known long ago, some reached SAL."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

from django.utils.timezone import now

from leads import lifecycle
from leads.actors import Actor
from leads.capture import capture_lead
from leads.models import Lead
from scoring.prediction.instants import AGES
from tracking.models import Event, Source

SYSTEM = Actor.system("test")


def known_lead(days: float, **profile: str) -> Lead:
    """A lead who became known so many days ago."""
    lead, _was_new = capture_lead(
        by=SYSTEM,
        email=f"{uuid.uuid4().hex[:12]}@acme.example",
        profile=profile,
        first_seen_at=now() - timedelta(days=days),
    )
    return lead


def age_of(lead: Lead) -> timedelta:
    """After how long the lead is looked at."""
    return timedelta(days=AGES[lead.pk * 2654435761 % 4294967296 // 1073741824])


def instant_of(lead: Lead) -> datetime:
    """When the lead is looked at: the first stay begins before its row was written."""
    return lead.episodes.get(seq=1).entered_at + age_of(lead)


def reach(lead: Lead, stage: str, at: datetime) -> None:
    lifecycle.record_imported_step(lead.pk, stage, by=SYSTEM, at=at)


def tell(lead: Lead, at: datetime, kind: str = "page_viewed", **fields) -> Event:
    """An event that arrived when it happened, unless said otherwise."""
    source, _was_new = Source.objects.get_or_create(name="Website")
    fields = {"received_at": at, "message_id": uuid.uuid4().hex, "path": "/", **fields}
    return Event.objects.create(source=source, kind=kind, occurred_at=at, lead=lead, **fields)


def history(count: int, is_positive: Callable[[int], bool], *, horizon: int = 30) -> list[Lead]:
    """Ripe leads, one after the other in time. Those who reach SAL have looked at prices."""
    leads = []
    for place in range(count):
        lead = known_lead(500 - 300 * place / count, country="DE" if place % 5 else "FR")
        at = instant_of(lead)
        if is_positive(place):
            tell(lead, at - timedelta(hours=5), "pricing_page_viewed")
            reach(lead, "sal", at + timedelta(days=horizon / 2))
        leads.append(lead)
    return leads
