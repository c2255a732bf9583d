"""Which version a draft would replace, and for whom."""

from __future__ import annotations

from django.db.models import Q

from scoring import conditions, dictionaries, reading_words
from scoring.choosing import EVERYBODY, Which
from scoring.conditions import Parameters
from scoring.governing import models_in_force
from scoring.matching import LEAD_TABLES
from scoring.models import DEFAULT_MODEL_ID, ModelVersion
from scoring.vocabulary import Axis


def version_in_force(model_id: int | None = DEFAULT_MODEL_ID) -> ModelVersion | None:
    """The active version of a model; None before its first is published."""
    return ModelVersion.objects.in_force().filter(model=model_id).first()


def rival_of(version: ModelVersion) -> ModelVersion | None:
    """What scores the leads of this version now: its model's active version, or the default's."""
    found = version_in_force(version.model_id) or version_in_force()
    return found if found != version else None


def leads_of(version: ModelVersion) -> Which:
    """The leads that belong to the version's model, or would once it is in force."""
    models = models_in_force()
    if version.model in models or version.model.is_default:
        others = [model for model in models if model != version.model]
        own = "SELECT lead_id FROM scoring_leadfeature WHERE model_id"
        return Which(f"IN ({own} = {version.model_id:d})", {}) if others else EVERYBODY
    parameters = Parameters()
    asked = {condition["field"] for condition in version.model.conditions}
    words = dictionaries.read(asked)
    meets = conditions.as_sql(version.model.conditions, Axis.FIT, parameters, words)
    tables = LEAD_TABLES + reading_words.joins(asked, EVERYBODY.sql, words, parameters)
    # Models that are asked before keep their leads.
    earlier = [m.pk for m in models if not m.is_default and m.position < version.model.position]
    kept = f"SELECT lead_id FROM scoring_leadfeature WHERE model_id = ANY(ARRAY{earlier}::int[])"
    return Which(
        f"IN (SELECT l.id {tables} WHERE {meets} AND l.id NOT IN ({kept}))", parameters.values
    )


def of_model(version: ModelVersion) -> Q:
    """The same for rows that have a lead, of a version that is in force."""
    is_only = len(models_in_force()) == 1
    return Q() if is_only else Q(lead__leadfeature__model_id=version.model_id)
