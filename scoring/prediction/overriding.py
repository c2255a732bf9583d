"""What a colleague knows better than the model: it stands above every later prediction."""

from __future__ import annotations

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from leads import audit
from leads.actors import Actor
from leads.models import Lead
from leads.refusals import Conflict, Refused
from scoring.models import PredictionOverride

LONGEST_REASON = 300


@transaction.atomic
def override(lead_id: int, probability: float, reason: str, *, by: Actor) -> PredictionOverride:
    """Put a colleague's own estimate (0..1) above the prediction; it needs a reason."""
    reason = reason.strip()
    if by.user is None:
        raise Refused(_("Only a person can override a prediction."))
    if not 0 <= probability <= 1:
        raise Refused(_("The probability must lie between 0 and 100 %."))
    if not reason or len(reason) > LONGEST_REASON:
        raise Refused(_("Give a reason of at most %(most)s characters.") % {"most": LONGEST_REASON})
    lead = Lead.objects.select_for_update(no_key=True).get(pk=lead_id)
    before = PredictionOverride.objects.filter(lead=lead).first()
    found, _is_new = PredictionOverride.objects.update_or_create(
        lead=lead,
        defaults={
            "probability": probability,
            "reason": reason,
            "overridden_by": by.user,
            "overridden_at": Now(),
        },
    )
    change = [before.probability if before else None, probability]
    audit.record(
        by,
        "overrode_prediction",
        object_kind="lead",
        object_id=lead_id,
        changes={"probability": change},
        reason=reason,
    )
    return found


@transaction.atomic
def take_back(lead_id: int, *, by: Actor) -> None:
    """Let the model's prediction count again."""
    Lead.objects.select_for_update(no_key=True).get(pk=lead_id)
    found = PredictionOverride.objects.filter(lead=lead_id).first()
    if found is None:
        raise Conflict(_("There is nothing to take back: somebody was faster."))
    change = [found.probability, None]
    found.delete()
    audit.record(
        by,
        "restored_prediction",
        object_kind="lead",
        object_id=lead_id,
        changes={"probability": change},
    )
