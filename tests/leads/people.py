"""Leads for tests, made through the product's own doors."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

from django.utils.timezone import now

from leads import lifecycle
from leads.actors import Actor
from leads.capture import capture_lead
from leads.models import LastActivity, Lead, Standing
from leads.ownership import assign_owner
from users.models import User

SYSTEM = Actor.system("test")
_numbers = itertools.count(1)


def make_lead(
    *,
    stage: str = "lead",
    owner: User | None = None,
    score: float | None = None,
    quadrant: str = "neither",
    last_activity_at: datetime | None = None,
    at: datetime | None = None,
    **profile,
) -> Lead:
    """A person in this stage, optionally owned and scored."""
    email = profile.pop("email", f"person{next(_numbers)}@acme.example")
    began = at or now() - timedelta(days=30)
    lead, _was_new = capture_lead(by=SYSTEM, email=email, profile=profile, first_seen_at=began)
    if stage != "lead":
        lifecycle.record_imported_step(lead.pk, stage, by=SYSTEM, at=began)
    if owner is not None:
        assign_owner(Lead.objects.get(pk=lead.pk), owner=owner, team=owner.team, by=SYSTEM)
    if score is not None or last_activity_at is not None:
        Standing.objects.filter(lead=lead).update(score=score or 0, quadrant=quadrant)
        LastActivity.objects.filter(lead=lead).update(at=last_activity_at)
    return Lead.objects.get(pk=lead.pk)
