"""Rejected hand-offs rolled up on the rules that carried them.

Needs numpy: only tasks import this.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from django.db.models import QuerySet
from django.utils.timezone import now

from sales.models import Handoff
from scoring import ranking
from scoring.formula import Weights
from scoring.in_force import of_model
from scoring.known_then import Cutoff, frozen_features
from scoring.models import ModelVersion, Signal
from scoring.studies import Report

PERIOD_DAYS = 365
# The newest so many decisions: memory stays bounded.
MOST_DECISIONS = 50_000
FEWEST_LEADS = 30
DECIDED = (Handoff.State.ACCEPTED, Handoff.State.REJECTED)


def roll_up(
    version: ModelVersion, weights: Weights, signals: Sequence[Signal], report: Report | None = None
) -> dict[str, Any]:
    """Which rules gave points to hand-offs that sales rejected, and to those it accepted.

    Each hand-off counts with what was known when it was submitted, whatever version scored it
    then. Keys: `days`, `accepted`, `rejected`, `reasons` ([label, count], commonest first), and
    `rules`: shares of both, their difference with its range, and the reasons behind.
    """
    since = now() - timedelta(days=PERIOD_DAYS)
    rows = decisions(version, since).values_list(
        "lead_id", "submitted_at", "state", "reject_reason__label"
    )[:MOST_DECISIONS]
    decided = sorted(rows)
    is_rejected = np.array([state == Handoff.State.REJECTED for *_, state, _r in decided], bool)
    reasons = [reason or "" for *_, reason in decided]
    features = frozen_features([Cutoff(row[0], row[1]) for row in decided], signals, report)
    worth = {rule.ordinal: rule.points for rule in weights.rules}
    return {
        "days": PERIOD_DAYS,
        "accepted": int((~is_rejected).sum()),
        "rejected": int(is_rejected.sum()),
        "reasons": Counter(reason for reason in reasons if reason).most_common(),
        "rules": [
            _rule(signal, features[:, place] > 0, is_rejected, reasons)
            for place, signal in enumerate(signals)
            if worth[signal.ordinal] > 0
        ],
    }


def decisions(
    version: ModelVersion, since: datetime, until: datetime | None = None
) -> QuerySet[Handoff]:
    """Hand-offs of the model's leads that sales accepted or rejected in a period, newest first."""
    decided = Handoff.objects.filter(of_model(version), state__in=DECIDED, decided_at__gt=since)
    if until is not None:
        decided = decided.filter(decided_at__lte=until)
    return decided.order_by("-decided_at", "-pk")


def _rule(
    signal: Signal, held: np.ndarray, is_rejected: np.ndarray, reasons: Sequence[str]
) -> dict[str, Any]:
    """How often one rule carried rejected and accepted hand-offs."""
    rejected, accepted = int((held & is_rejected).sum()), int((held & ~is_rejected).sum())
    all_rejected, all_accepted = int(is_rejected.sum()), int((~is_rejected).sum())
    behind = Counter(
        reason for reason, is_held in zip(reasons, held, strict=True) if is_held and reason
    )
    found: dict[str, Any] = {
        "signal": signal.pk,
        "rejected": rejected,
        "accepted": accepted,
        "reasons": behind.most_common(3),
        "difference": None,
        "verdict": "too_few",
    }
    if min(all_rejected, all_accepted, rejected + accepted) >= FEWEST_LEADS:
        apart = ranking.share_difference(rejected, all_rejected, accepted, all_accepted)
        verdict = "rejected" if apart.value > 0 else "accepted"
        found["difference"] = asdict(apart)
        found["verdict"] = verdict if apart.excludes_zero else "unclear"
    return found


def acceptance(version: ModelVersion) -> dict[str, Any]:
    """Accepted and decided hand-offs, as long before the signing as since, at most a quarter."""
    at = now()
    signed_at = version.published_at or at
    days = min(90, (at - signed_at).days)
    span = timedelta(days=days)
    return {
        "days": days,
        "then": _accepted(decisions(version, signed_at - span, signed_at)),
        "now": _accepted(decisions(version, at - span, at)),
    }


def _accepted(decided: QuerySet[Handoff]) -> list[int]:
    return [decided.filter(state=Handoff.State.ACCEPTED).count(), decided.count()]
