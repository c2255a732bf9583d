"""A lead that is with sales and whose score has fallen well below the threshold. It stays there."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from leads.models import Lead
from leads.stages import Stage
from scoring.governing import version_for
from scoring.models import ModelVersion

WITH_SALES = (Stage.MQL, Stage.SAL, Stage.SQL)


@dataclass(frozen=True)
class Cooled:
    """What the score is, and the threshold that it has fallen below, hysteresis and all."""

    score: Decimal
    threshold: Decimal


def cooled(lead: Lead) -> Cooled | None:
    """None for who is not with sales, or not that far below: nobody flaps about the threshold."""
    if lead.stage not in WITH_SALES:
        return None
    version = version_for(lead)
    standing = getattr(lead, "standing", None)
    if version is None or standing is None or standing.scored_at is None:
        return None
    return judge(lead.stage, standing.score, version)


def judge(stage: str | None, score: Decimal, version: ModelVersion) -> Cooled | None:
    """The same for a stage and a score of one instant, and the version that the score is by."""
    if stage not in WITH_SALES or score >= version.threshold - version.hysteresis:
        return None
    return Cooled(score, version.threshold)
