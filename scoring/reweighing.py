"""A draft with other points: the version in force cloned, the suggested weights put in."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from leads.actors import Actor
from leads.audit import record
from leads.refusals import Conflict
from scoring import drafting
from scoring.in_force import version_in_force
from scoring.models import ModelVersion, Rule


@transaction.atomic
def draft_with_points(
    number: int, points: Mapping[int, Decimal], *, by: Actor, reason: str
) -> ModelVersion:
    """Clone version `number` to a draft in which these signals are worth these points.

    Raises Refused for who is no admin, Conflict when another version is in force by now:
    the suggestion was made for the one before.
    """
    drafting.require_admin(by)
    version = ModelVersion.objects.get(number=number)
    active = version_in_force(version.model_id)
    if active != version:
        raise Conflict(
            _("Version %(number)s is no longer in force. Ask for a new review.")
            % {"number": number}
        )
    draft = drafting.clone_to_draft(version.pk, by=by)
    changes = {}
    for rule in Rule.objects.filter(version=draft, signal__in=list(points)):
        changes[str(rule.signal)] = [str(rule.points), str(points[rule.signal_id])]
        rule.points = points[rule.signal_id]
        rule.full_clean()
        rule.save(update_fields=["points"])
    record(
        by,
        "reweighed",
        object_kind="scoring_version",
        object_id=draft.pk,
        changes=changes,
        reason=reason,
    )
    return draft
