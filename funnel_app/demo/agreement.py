"""A proposal for the scoring model that marketing has signed and sales has yet to sign.

Its back-test, a review of the model and a prediction are asked for as well; the product works
them out in the background once it runs, within seconds.
"""

from __future__ import annotations

from decimal import Decimal

from django.utils.translation import gettext_noop as _

from funnel_app.demo.staff import Staff
from insights.review import making
from leads.actors import Actor
from leads.stages import Stage
from scoring import backtesting, drafting, signing
from scoring.models import ModelVersion
from scoring.prediction import asking
from users.roles import Role

NAME = _("Less for fairs, more for prices")
# Points by the key of the signal: what people do shortly before they buy is worth more.
POINTS = {"pricing_page": 12, "customer_story": 4, "event": 8, "webinar": 12, "careers_page": -12}

HORIZON_DAYS = 90  # within which a lead is predicted to be accepted by sales


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
    backtesting.request(draft.pk, by=Actor.of(staff.marketer))
    making.request(by=Actor.of(staff.marketer))
    asking.train_on_leads(Stage.SAL, HORIZON_DAYS, by=Actor.of(admin))
    return signing.sign(draft.pk, by=Actor.of(staff.marketer))
