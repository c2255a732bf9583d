"""Which version of which model scores which lead.

Each lead belongs to one model (LeadFeature.model_id). Of that model the active version scores
it, unless that was published for new leads only: those who were there before stay with the
version that it replaced. With one model and nobody left behind there is nothing to tell apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db import connection

from leads.models import Lead
from scoring import conditions, dictionaries, reading_words
from scoring.choosing import Which
from scoring.conditions import Parameters
from scoring.formula import Weights, scores_query
from scoring.matching import LEAD_TABLES
from scoring.models import DEFAULT_MODEL_ID, LeadFeature, ModelVersion, ScoringModel
from scoring.vocabulary import Axis


@dataclass(frozen=True)
class Reign:
    """A version and the leads it scores: of its model, with after < id ≤ up_to (None: no bound)."""

    version: ModelVersion
    after: int | None
    up_to: int | None
    is_only_model: bool

    @property
    def sql(self) -> str:
        """The same as a condition over `f`, a LeadFeature."""
        parts = [] if self.is_only_model else [f"f.model_id = {self.version.model_id:d}"]
        if self.after is not None:
            parts.append(f"f.lead_id > {self.after:d}")
        if self.up_to is not None:
            parts.append(f"f.lead_id <= {self.up_to:d}")
        return " AND ".join(parts) or "true"

    def covers(self, lead_id: int, model_id: int) -> bool:
        return (
            (self.is_only_model or model_id == self.version.model_id)
            and (self.after is None or lead_id > self.after)
            and (self.up_to is None or lead_id <= self.up_to)
        )


def reigns() -> list[Reign]:
    """All versions that score anybody now; together they cover each lead once."""
    active = list(ModelVersion.objects.in_force())
    return [reign for version in active for reign in _chain(version, is_only=len(active) == 1)]


def _chain(version: ModelVersion | None, *, is_only: bool) -> Iterator[Reign]:
    """A version and those whose leads it left to them, newest first."""
    up_to = None
    while version is not None:
        if up_to is None or version.after_lead_id is None or version.after_lead_id < up_to:
            yield Reign(version, version.after_lead_id, up_to, is_only)
        if version.after_lead_id is None:
            return
        up_to = version.after_lead_id if up_to is None else min(up_to, version.after_lead_id)
        version = version.replaces


def version_for(lead: Lead) -> ModelVersion | None:
    """The version by which this lead is scored; None while no model is in force."""
    return versions_for([lead.pk]).get(lead.pk)


def versions_for(lead_ids: Sequence[int]) -> dict[int, ModelVersion]:
    """For each of these leads the version that scores it; leads without one are left out."""
    known = reigns()
    homes = dict(
        LeadFeature.objects.filter(lead__in=lead_ids).values_list("lead_id", "model_id")
        if len(known) > 1
        else ()
    )
    found = {}
    for lead_id in lead_ids:
        home = homes.get(lead_id, DEFAULT_MODEL_ID)
        for reign in known:
            if reign.covers(lead_id, home):
                found[lead_id] = reign.version
    return found


def current_scores_query(
    which: str = "true", as_of: str = "", anchors: str = "", known: Sequence[Reign] | None = None
) -> str | None:
    """SQL for the scores of leads that meet `which`, each by its own version; None without any.

    Columns and the other arguments are those of formula.scores_query.
    """
    known = reigns() if known is None else known
    parts = [
        scores_query(Weights.of(r.version), _both(which, r.sql), as_of, anchors) for r in known
    ]
    return " UNION ALL ".join(f"({part})" for part in parts) or None


def _both(one: str, other: str) -> str:
    return one if other == "true" else f"({one}) AND {other}"


def models_in_force() -> list[ScoringModel]:
    """In the order in which they are asked; the default one is last, or missing."""
    active = ModelVersion.objects.in_force().values("model")
    models = list(ScoringModel.objects.filter(pk__in=active).order_by("position"))
    return sorted(models, key=lambda model: model.is_default)


def assign_models(which: Which) -> int:
    """Give these leads their models; returns how many moved. Their features are locked."""
    special = [model for model in models_in_force() if not model.is_default]
    parameters = Parameters(**which.values)
    asked = {condition["field"] for model in special for condition in model.conditions}
    words = dictionaries.read(asked)
    branches = "".join(
        f" WHEN {conditions.as_sql(m.conditions, Axis.FIT, parameters, words)} THEN {m.pk:d}"
        for m in special
    )
    tables = LEAD_TABLES + reading_words.joins(asked, which.sql, words, parameters)
    home = f"CASE{branches} ELSE {DEFAULT_MODEL_ID} END" if branches else str(DEFAULT_MODEL_ID)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE scoring_leadfeature f SET model_id = home.model_id
              FROM (SELECT l.id, {home} AS model_id {tables} WHERE l.id {which.sql}) home
             WHERE f.lead_id = home.id AND f.lead_id {which.sql}
               AND f.model_id <> home.model_id
            """,
            parameters.values,
        )
        return cursor.rowcount
