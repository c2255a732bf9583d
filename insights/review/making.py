"""Ask for a review of the version in force, and make it in the background."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from insights.review_models import Review
from leads.actors import Actor
from leads.refusals import Refused
from scoring import studies
from scoring.formula import Weights
from scoring.in_force import leads_of, version_in_force
from scoring.models import DEFAULT_MODEL_ID, ModelVersion, Signal
from scoring.studies import Report

TASK = "insights.tasks.review"


@transaction.atomic
def request(model_id: int = DEFAULT_MODEL_ID, *, by: Actor) -> Review:
    """Have the model's version in force reviewed; a review that waits already is returned."""
    version = version_in_force(model_id)
    if version is None:
        raise Refused(_("No scoring model is active: there is nothing to review."))
    # Of two who ask at once, the second finds what the first asked for.
    version = ModelVersion.objects.select_for_update(no_key=True, of=("self",)).get(pk=version.pk)
    study = studies.ask(Review, TASK, by=by, version=version)
    assert isinstance(study, Review)
    return study


def drain(limit: int = 1) -> int:
    """Make the oldest review that was asked for. Returns how many were made."""
    return studies.drain(Review, perform)


def perform(study: Review, report: Report) -> dict[str, Any]:
    """All findings as plain JSON.

    Keys: `rejections`, `held` ({signal: leads}), `quiet_days`, `duplicates`, `suggestion`,
    `drift`, `acceptance`.
    """
    from insights.review import rejections
    from scoring import rule_firing, rule_weights

    version = study.version
    weights = Weights.of(version)
    ordinals = [rule.ordinal for rule in weights.rules]
    signals = list(Signal.objects.filter(ordinal__in=ordinals).order_by("ordinal"))
    return {
        "as_of": now().isoformat(),
        "rejections": rejections.roll_up(version, weights, signals),
        "held": {str(pk): n for pk, n in rule_firing.held_lately(signals).items()},
        "quiet_days": rule_firing.QUIET_DAYS,
        "duplicates": rule_firing.duplicates(signals),
        "suggestion": rule_weights.suggest(weights, signals, report, leads_of(version)),
        "drift": rule_firing.drift(version, signals),
        "acceptance": rejections.acceptance(version),
    }
