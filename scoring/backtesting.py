"""How a version would have ranked leads that are by now customers, lost or rejected.

Each lead is scored as it was known then (known_then.py): at the instant it became an MQL,
or a day before the decision where it never did. Asked for on a page, made in the background.
What needs numpy is imported where it is used, for pages load this module as well.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.utils.timezone import now

from leads.actors import Actor
from scoring import ranking, studies
from scoring.choosing import EVERYBODY, Which
from scoring.formula import Weights, Worth
from scoring.in_force import leads_of, rival_of
from scoring.models import BackTest, ModelVersion, Signal
from scoring.studies import Report
from scoring.terms import content
from scoring.vocabulary import Axis

if TYPE_CHECKING:
    import numpy as np

    from scoring.outcomes import Outcome
    from scoring.scorecard import Scores

TASK = "scoring.tasks.back_test"
# For how many leads a month the precision is worked out.
MOST_CAPACITY = 200
# A rule that held for fewer of them, or not for fewer, is not judged.
FEWEST_LEADS = 30


def fingerprint(version: ModelVersion) -> str:
    """What tells two states of a draft apart: its terms, whom it is for, what words mean.

    After an edit of a dictionary the signals that ask for it are counted again.
    """
    matched = version.rules.filter(signal__axis=Axis.FIT).order_by("signal")
    words = list(matched.values_list("signal", "signal__counted_at"))
    said = [content(version), version.model.conditions, words]
    return hashlib.sha256(repr(said).encode()).hexdigest()


@transaction.atomic
def request(version_id: int, *, by: Actor) -> BackTest:
    """Have a version back-tested in the background; one that waits already is returned."""
    version = ModelVersion.objects.select_for_update(no_key=True).get(pk=version_id)
    state = fingerprint(version)
    waiting = BackTest.objects.filter(version=version, finished_at=None)
    # Of a draft that changed since nobody wants the old state tested.
    waiting.exclude(fingerprint=state).delete()
    study = studies.ask(BackTest, TASK, by=by, version=version, fingerprint=state)
    assert isinstance(study, BackTest)
    return study


def newest_of(version: ModelVersion) -> BackTest | None:
    """The newest back-test of the version as it is now; None when there is none yet."""
    state = fingerprint(version)
    return BackTest.objects.filter(version=version, fingerprint=state).first()


def drain(limit: int = 1) -> int:
    """Make the oldest back-test that was asked for. Returns how many were made."""
    return studies.drain(BackTest, perform)


def perform(study: BackTest, report: Report) -> dict[str, Any]:
    """All figures as plain JSON (`back_test`), and what they are the figures of."""
    weights = Weights.of(study.version)
    BackTest.objects.filter(pk=study.pk).update(fingerprint=fingerprint(study.version))
    rival = rival_of(study.version)
    rival_weights = Weights.of(rival) if rival else None
    return back_test(weights, rival_weights, report, leads_of(study.version))


def back_test(
    weights: Weights,
    rival: Weights | None = None,
    report: Report | None = None,
    which: Which = EVERYBODY,
) -> dict[str, Any]:
    """Score each of these leads of known outcome as it was known then, by a version and its rival.

    Keys: `counts` by kind of outcome, `frozen` by instant, `left_out`, `months`, `sides` (the
    version, then its rival), `difference` of their AUC, `rules` of the version.
    """
    from scoring.known_then import frozen_features
    from scoring.outcomes import known_outcomes
    from scoring.scorecard import score

    outcomes, left_out = known_outcomes(which)
    sides = [weights, rival] if rival else [weights]
    signals = signals_of(*sides)
    features = frozen_features([outcome.cutoff for outcome in outcomes], signals, report)
    scores = [score(features, signals, side) for side in sides]
    won = [outcome.is_won for outcome in outcomes]
    months = [_month(outcome.as_of) for outcome in outcomes]
    totals = [side.total.tolist() for side in scores]
    apart = ranking.auc_difference(totals[0], totals[1], won) if rival else None
    return {
        "as_of": now().isoformat(),
        "counts": dict(Counter(outcome.kind for outcome in outcomes)),
        "frozen": dict(Counter("mql" if o.was_mql else "day_before" for o in outcomes)),
        "left_out": left_out,
        "months": len(set(months)),
        "sides": [_side(*each, won, months) for each in zip(sides, totals, strict=True)],
        "difference": _as_json(apart),
        "rules": _rules(sides, signals, features, scores[0], outcomes),
    }


def signals_of(*versions: Weights) -> list[Signal]:
    """Every signal that one of these versions weighs, in order of its place."""
    ordinals = {rule.ordinal for weights in versions for rule in weights.rules}
    return list(Signal.objects.filter(ordinal__in=ordinals).order_by("ordinal"))


def _month(instant: datetime) -> str:
    return instant.astimezone(ZoneInfo(settings.REPORTING_TIME_ZONE)).strftime("%Y-%m")


def _as_json(interval: ranking.Interval | None) -> dict[str, float] | None:
    return asdict(interval) if interval else None


def _side(
    weights: Weights, total: list[float], won: list[bool], months: list[str]
) -> dict[str, Any]:
    """How one version ranks: AUC, deciles, the n best of each month, who reached its threshold."""
    threshold = float(weights.threshold)
    reached = [is_won for points, is_won in zip(total, won, strict=True) if points >= threshold]
    return {
        "number": weights.number,
        "auc": _as_json(ranking.auc_interval(total, won)),
        "deciles": [asdict(part) for part in ranking.deciles(total, won)],
        "capacity": ranking.best_of_each(total, won, months, MOST_CAPACITY),
        "reached": [len(reached), sum(reached)],
    }


def _rules(
    sides: Sequence[Weights],
    signals: Sequence[Signal],
    features: np.ndarray,
    scores: Scores,
    outcomes: Sequence[Outcome],
) -> list[dict[str, Any]]:
    """What each rule brought to leads that were won and to those that were not."""
    import numpy as np

    won = np.array([outcome.is_won for outcome in outcomes], dtype=bool)
    lost = np.array([outcome.kind == "lost" for outcome in outcomes], dtype=bool)
    mine, theirs = ({rule.ordinal: rule for rule in side.rules} for side in (sides[0], sides[-1]))
    found = []
    for place, signal in enumerate(signals):
        if signal.ordinal not in mine:
            continue
        held = features[:, place] > 0
        counts = [int((held & some).sum()) for some in (won, ~won, lost)]
        found.append(
            {
                "signal": signal.pk,
                "points": float(mine[signal.ordinal].points),
                "points_in_force": _points(theirs.get(signal.ordinal)),
                "held": dict(zip(("won", "not_won", "lost"), counts, strict=True)),
                "mean_won": _mean(scores.points[won, place]),
                "mean_not_won": _mean(scores.points[~won, place]),
                **_against_the_rest(counts[0], counts[1], int(won.sum()), int((~won).sum())),
            }
        )
    return found


def _points(rule: Worth | None) -> float | None:
    return float(rule.points) if rule else None


def _mean(points: np.ndarray) -> float | None:
    return float(points.mean()) if len(points) else None


def _against_the_rest(held_won: int, held_not: int, won: int, not_won: int) -> dict[str, Any]:
    """The win rate of leads for whom a rule held, less that of all others.

    `verdict`: "too_few" below the least sample on either side; "loses" or "wins" when the
    95 % interval leaves no doubt that there is a difference; else "unclear".
    """
    with_rule, without = held_won + held_not, won + not_won - held_won - held_not
    if min(with_rule, without) < FEWEST_LEADS:
        return {"rate_difference": None, "verdict": "too_few"}
    apart = ranking.share_difference(held_won, with_rule, won - held_won, without)
    verdict = "wins" if apart.value > 0 else "loses"
    return {
        "rate_difference": _as_json(apart),
        "verdict": verdict if apart.excludes_zero else "unclear",
    }
