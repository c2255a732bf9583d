"""Which rules hold for anybody, which hold for the same leads, and what changed since signing.

Needs numpy: only tasks import this.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

import numpy as np
from django.db import connection, transaction
from django.db.models import Count
from django.utils.timezone import now

from leads.models import StageEpisode
from leads.stages import Stage
from scoring import ranking, rescore
from scoring.choosing import Which
from scoring.conditions import Parameters
from scoring.formula import Weights
from scoring.hits import hits_query
from scoring.in_force import of_model
from scoring.known_then import Cutoff, frozen_features
from scoring.models import FieldMatch, ModelVersion, Signal
from scoring.scorecard import score

QUIET_DAYS = 90
MOST_SAMPLED = 20_000
# Rules that hold for fewer leads of the sample are not compared with others.
FEWEST_HELD = 30
ALIKE = 0.8
# Two rules that hold for nearly everybody have leads in common by chance.
LEAST_CORRELATION = 0.5
# Drift: leads that came in so many days before signing, and before now.
WINDOW_DAYS = 90
FEWEST_DAYS = 7
FEWEST_LEADS = 100
BINS = 20


@transaction.atomic
def held_lately(signals: Sequence[Signal], days: int = QUIET_DAYS) -> dict[int, int]:
    """For how many leads each signal held or counted an event in the last `days` days."""
    rescore.set_limits()
    since = now() - timedelta(days=days)
    on_fields = [signal.pk for signal in signals if signal.is_fit]
    matches = FieldMatch.objects.filter(signal__in=on_fields).exclude(until__lte=since)
    counts = dict.fromkeys((signal.pk for signal in signals), 0)
    by_signal = matches.order_by().values_list("signal").annotate(n=Count("lead", distinct=True))
    counts |= dict(by_signal)
    on_events = [signal for signal in signals if not signal.is_fit]
    if not on_events:
        return counts
    active = Which("IN (SELECT lead_id FROM tracking_event WHERE occurred_at > %(since)s)", {})
    parameters = Parameters(since=since, as_of=now())
    hits = hits_query(active, on_events, parameters)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT signal_id, count(DISTINCT lead_id) FROM ({hits}) h
                 WHERE occurred_at > %(since)s GROUP BY signal_id""",
            parameters.values,
        )
        return counts | dict(cursor.fetchall())


def duplicates(signals: Sequence[Signal]) -> list[dict[str, Any]]:
    """Pairs of rules that hold for nearly the same leads, most alike first.

    `jaccard`: leads for whom both hold, of those for whom one does; from a sample of leads.
    """
    held = _sampled_features(signals) > 0
    counts = held.sum(axis=0)
    found = []
    for one, other in combinations(range(len(signals)), 2):
        if min(counts[one], counts[other]) < FEWEST_HELD:
            continue
        both = int((held[:, one] & held[:, other]).sum())
        jaccard = both / int(counts[one] + counts[other] - both)
        correlation = _correlation(held[:, one], held[:, other])
        if jaccard >= ALIKE and correlation is not None and correlation >= LEAST_CORRELATION:
            found.append(
                {
                    "signals": [signals[one].pk, signals[other].pk],
                    "held": [int(counts[one]), int(counts[other])],
                    "both": both,
                    "jaccard": jaccard,
                    "correlation": correlation,
                }
            )
    return sorted(found, key=lambda pair: -pair["jaccard"])


def _correlation(one: np.ndarray, other: np.ndarray) -> float | None:
    """Pearson's, of two yes-no columns; None where one of them says the same of everybody."""
    if one.all() or other.all():
        return None
    return float(np.corrcoef(one, other)[0, 1])


def _sampled_features(signals: Sequence[Signal]) -> np.ndarray:
    """The sums as they are stored, of leads chosen by a hash of their id. (leads, signals)"""
    ordinals = ", ".join(f"coalesce(sums[{signal.ordinal:d}], 0)" for signal in signals)
    with transaction.atomic(), connection.cursor() as cursor:
        rescore.set_limits()
        cursor.execute(
            f"""SELECT ARRAY[{ordinals}]::float8[] FROM scoring_leadfeature
                 ORDER BY hashint8(lead_id), lead_id LIMIT %s""",
            [MOST_SAMPLED],
        )
        rows = [row[0] for row in cursor.fetchall()]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(signals))


def drift(version: ModelVersion, signals: Sequence[Signal]) -> dict[str, Any]:
    """Leads that came in before the version was signed against those that came in lately.

    Both are judged at the end of their time, by the same version. `state`: "ok", "too_soon"
    or "too_few".
    """
    at = now()
    signed_at = version.published_at or at
    days = min(WINDOW_DAYS, (at - signed_at).days)
    if days < FEWEST_DAYS:
        return {"state": "too_soon", "days": days}
    then, lately = (_newcomers(version, end, days) for end in (signed_at, at))
    said = {"days": days, "then": len(then), "now": len(lately)}
    if min(len(then), len(lately)) < FEWEST_LEADS:
        return {"state": "too_few", "fewest": FEWEST_LEADS, **said}
    weights = Weights.of(version)
    features = [frozen_features(some, signals) for some in (then, lately)]
    histograms, edges = _histograms([score(each, signals, weights).total for each in features])
    shares = [(each > 0).mean(axis=0) for each in features]
    return {
        "state": "ok",
        **said,
        "edges": edges,
        "histograms": histograms,
        "stability": ranking.stability_index(*histograms),
        "rules": [
            {
                "signal": signal.pk,
                "then": float(shares[0][place]),
                "now": float(shares[1][place]),
                "is_clear": ranking.share_difference(
                    int((features[1][:, place] > 0).sum()),
                    len(lately),
                    int((features[0][:, place] > 0).sum()),
                    len(then),
                ).excludes_zero,
            }
            for place, signal in enumerate(signals)
        ],
    }


def _newcomers(version: ModelVersion, until: datetime, days: int) -> list[Cutoff]:
    """Leads that became known in the `days` before `until`, as far as a sample goes."""
    first = StageEpisode.objects.filter(of_model(version), seq=1, is_date_unknown=False)
    first = first.exclude(lead__stage=Stage.MERGED)
    came = first.filter(entered_at__gt=until - timedelta(days=days), entered_at__lte=until)
    ids = came.order_by("-entered_at", "lead").values_list("lead", flat=True)[:MOST_SAMPLED]
    return [Cutoff(lead_id, until) for lead_id in sorted(ids)]


def _histograms(scores: Sequence[np.ndarray]) -> tuple[list[list[int]], list[float]]:
    """Both over the same bins, which span both."""
    low, high = min(s.min() for s in scores), max(s.max() for s in scores)
    edges = np.linspace(low, max(high, low + 1), BINS + 1)
    counts = [np.histogram(each, edges)[0].tolist() for each in scores]
    return counts, edges.round(1).tolist()
