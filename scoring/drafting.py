"""Drafts of the scoring model: cloned from a version, changed in the admin."""

from __future__ import annotations

from datetime import timedelta

from django.db import connection, transaction
from django.db.models import Max
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from leads.actors import Actor
from leads.refusals import Refused
from scoring.models import DEFAULT_MODEL_ID, GroupCap, ModelVersion, Rule, ScoringModel, Signal
from users.roles import Role

# What a draft takes over from the version it is cloned from.
CLONED = (
    "name",
    "threshold",
    "hysteresis",
    "fit_cut",
    "interest_cut",
    "fit_floor",
    "fit_ceiling",
    "interest_floor",
    "interest_ceiling",
)


REVIEW_AFTER = timedelta(days=90)


def require_admin(by: Actor) -> None:
    if by.user is not None and by.role != Role.ADMIN:
        raise Refused(_("Only admins change the scoring model."))


@transaction.atomic
def clone_to_draft(version_id: int, *, by: Actor) -> ModelVersion:
    """A new draft with the same rules, caps and numbers. Raises Refused for who is no admin."""
    require_admin(by)
    origin = ModelVersion.objects.select_for_update(no_key=True).get(pk=version_id)
    draft = ModelVersion.objects.create(
        model=origin.model,
        number=_next_number(),
        based_on=origin,
        review_due_on=localdate() + REVIEW_AFTER,
        **{name: getattr(origin, name) for name in CLONED},
    )
    Rule.objects.bulk_create(
        Rule(
            version=draft,
            signal_id=rule.signal_id,
            points=rule.points,
            group=rule.group,
            is_blocking=rule.is_blocking,
        )
        for rule in origin.rules.all()
    )
    GroupCap.objects.bulk_create(
        GroupCap(version=draft, axis=cap.axis, group=cap.group, cap=cap.cap)
        for cap in origin.caps.all()
    )
    return draft


@transaction.atomic
def begin_model(
    name: str, conditions: list[dict], like_version_id: int, *, by: Actor
) -> ModelVersion:
    """A new model for some leads, with a first draft like a version of another model.

    Raises Refused for who is no admin, ValidationError for a name that exists and for
    conditions that make no sense. Nobody belongs to it before a version is in force.
    """
    require_admin(by)
    others = ScoringModel.objects.exclude(pk=DEFAULT_MODEL_ID)
    position = (others.aggregate(last=Max("position"))["last"] or 0) + 1
    model = ScoringModel(name=name, conditions=conditions, position=position)
    model.full_clean()
    model.save()
    draft = clone_to_draft(like_version_id, by=by)
    ModelVersion.objects.filter(pk=draft.pk).update(model=model, name=name)
    draft.refresh_from_db()
    return draft


def _next_number() -> int:
    """Two admins who clone at once wait for each other."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE scoring_modelversion IN SHARE ROW EXCLUSIVE MODE")
    return (ModelVersion.objects.aggregate(top=Max("number"))["top"] or 0) + 1


def next_ordinal() -> int:
    """The place of a new signal in the feature vector."""
    return (Signal.objects.aggregate(top=Max("ordinal"))["top"] or 0) + 1


def prepare_signal(signal: Signal) -> None:
    """Before an admin's signal is stored: its place in the vector, and that it is to be counted."""
    if signal.ordinal is None:
        signal.ordinal = next_ordinal()
    signal.counted_at, signal.counted_to_lead_id = None, 0
