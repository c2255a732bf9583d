"""A proposal for the scoring model that marketing has signed and sales has yet to sign."""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext_noop as _

from funnel_app.demo.staff import Staff
from leads.actors import Actor
from scoring import drafting, signing
from scoring.models import ModelVersion
from users.roles import Role

NAME = _("Less for fairs, more for prices")
# Points by the key of the signal: what people do shortly before they buy is worth more.
POINTS = {"pricing_page": 12, "customer_story": 4, "event": 8, "webinar": 12, "careers_page": -12}


def propose(staff: Staff) -> ModelVersion | None:
    """Clone the version in force, change some weights, submit it, sign it for marketing."""
    active = ModelVersion.objects.active()
    admin = next((p for p in staff.by_email.values() if p.role == Role.ADMIN), None)
    if active is None or admin is None:
        return None
    draft = drafting.clone_to_draft(active.pk, by=Actor.of(admin))
    draft.name = NAME
    draft.save(update_fields=["name"])
    for rule in draft.rules.filter(signal__key__in=POINTS).select_related("signal"):
        rule.points = Decimal(POINTS[rule.signal.key])
        rule.save(update_fields=["points"])
    signing.submit(draft.pk, by=Actor.of(admin))
    return signing.sign(draft.pk, by=Actor.of(staff.marketer))
