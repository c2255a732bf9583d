"""Learn from a table, judge on its newest rows, and say whether that is worth showing.

    all rows → older 80 % | newest 20 %            (the hold-out: used once, at the end)
    older    → older 75 % | newest 25 % of it      (chooses the candidate, calibrates it)

The chosen candidate is fitted anew on all older rows. What is stored is the model
whose figures are shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoring.prediction import metrics
from scoring.prediction.calibrating import Calibration, calibrate
from scoring.prediction.encoding import Encoder
from scoring.prediction.estimators import CANDIDATES, SEED, Candidate
from scoring.prediction.leaks import find_leaks
from scoring.prediction.predictor import Predictor
from scoring.prediction.tables import Table, split_by_time

HOLD_OUT = 0.2
VALIDATION = 0.25
FEWEST_LABELLED = 100
# Each class, among the rows to learn from and on the hold-out: less cannot be judged.
FEWEST_PER_CLASS = 10
MOST_ROWS = 60_000
REPEATS = 3
MOST_IMPORTANCE_ROWS = 5_000

ON, NO_SIGNAL, NOT_ENOUGH = "on", "no_signal", "not_enough"

# Called with the share done, 0..1, and the name of the step.
Progress = Callable[[float, str], None]


def silent(done: float, step: str) -> None:
    """Progress that nobody follows."""


@dataclass(frozen=True)
class Learned:
    """`report` is for JSON and pages; `predictor` is None without enough rows.

    `hold_out` are the newest rows, for comparisons with others on the same rows.
    """

    verdict: str
    report: dict[str, Any]
    predictor: Predictor | None = None
    hold_out: Table | None = None


def learn(table: Table, *, rivals: tuple[str, ...] = (), progress: Progress = silent) -> Learned:
    """Train on the older rows of `table` and judge on the newest fifth.

    `rivals` names columns that are not learned from but compared with on the hold-out, such
    as the score by rules. Too little data is an answer (NOT_ENOUGH), no error.
    """
    progress(0.0, "splitting")
    older, newest = split_by_time(table, HOLD_OUT)
    older = _newest_rows(older)
    counts = _counts(table, older, newest)
    if not _is_enough(counts):
        return Learned(NOT_ENOUGH, {"counts": counts, "fewest": FEWEST_LABELLED})
    facts = older.without(rivals)
    encoder = Encoder.learn(facts)
    if not encoder.fields:
        return Learned(NO_SIGNAL, {"counts": counts, "dropped": list(encoder.dropped)})
    progress(0.1, "leaks")
    leaks = [leak.as_json() for leak in find_leaks(facts)]
    chosen, calibration, tried = choose(facts, progress)
    progress(0.7, "fitting")
    matrix, labels = encoder.matrix(facts), np.array(facts.labels)
    estimator = chosen.fit(matrix, labels, encoder.plain_columns, **chosen.params)
    predictor = Predictor(encoder, estimator, calibration)
    progress(0.8, "judging")
    judged = _judge(predictor, newest.without(rivals), progress)
    report = {
        "counts": counts,
        "leaks": leaks,
        "dropped": list(encoder.dropped),
        "tried": tried,
        "chosen": chosen.name,
        "features": list(facts.names),
        "inputs": distributions(encoder, matrix),
        **judged,
        "rivals": [_rival(name, newest) for name in rivals],
    }
    return Learned(_verdict(judged["figures"]), report, predictor, newest)


def _newest_rows(table: Table) -> Table:
    """At most MOST_ROWS of the rows to learn from, the newest: time and memory stay bounded."""
    if len(table) <= MOST_ROWS:
        return table
    places = sorted(range(len(table)), key=lambda i: table.order[i])
    return table.take(places[-MOST_ROWS:])


def _counts(table: Table, older: Table, newest: Table) -> dict[str, int]:
    return {
        "labelled": len(table),
        "positive": int(sum(table.labels)),
        "trained": len(older),
        "trained_positive": int(sum(older.labels)),
        "held_out": len(newest),
        "held_out_positive": int(sum(newest.labels)),
    }


def _is_enough(counts: dict[str, int]) -> bool:
    classes = [
        counts["trained_positive"],
        counts["trained"] - counts["trained_positive"],
        counts["held_out_positive"],
        counts["held_out"] - counts["held_out_positive"],
    ]
    return counts["labelled"] >= FEWEST_LABELLED and min(classes) >= FEWEST_PER_CLASS


def choose(older: Table, progress: Progress = silent) -> tuple[Candidate, Calibration, list[dict]]:
    """The candidate with the least log-loss on the newest quarter, and its calibration there.

    Everything that is learned, levels and edges too, comes from the older three quarters.
    """
    inner, validation = split_by_time(older, VALIDATION)
    if len(set(inner.labels)) < 2 or len(set(validation.labels)) < 2:
        return CANDIDATES[0], Calibration(), []
    encoder = Encoder.learn(inner)
    matrix, labels = encoder.matrix(inner), np.array(inner.labels)
    checked, outcomes = encoder.matrix(validation), np.array(validation.labels)
    tried, best = [], None
    for place, candidate in enumerate(CANDIDATES):
        progress(0.2 + 0.5 * place / len(CANDIDATES), "choosing")
        model = candidate.fit(matrix, labels, encoder.plain_columns, **candidate.params)
        log_odds = model.log_odds(checked)
        calibration = calibrate(log_odds, outcomes)
        loss = _log_loss(outcomes, calibration.probabilities(log_odds))
        area = metrics.auc(outcomes, log_odds)
        tried.append({"name": candidate.name, **candidate.params, "loss": loss, "auc": area})
        if best is None or loss < best[0]:
            best = (loss, candidate, calibration)
    assert best is not None
    return best[1], best[2], tried


def _log_loss(labels: np.ndarray, scores: np.ndarray) -> float:
    return float(-np.log(np.where(labels == 1, scores, 1 - scores)).mean())


def _judge(predictor: Predictor, newest: Table, progress: Progress) -> dict[str, Any]:
    matrix, labels = predictor.encoder.matrix(newest), np.array(newest.labels)
    found = metrics.figures(labels, predictor.of_matrix(matrix))
    progress(0.9, "weighing")
    return {"figures": found, "importance": importance(predictor, matrix, labels)}


def importance(predictor: Predictor, matrix: np.ndarray, labels: np.ndarray) -> list[dict]:
    """What the AUC loses when the cells of one field are shuffled (Breiman 2001), most first."""
    chance = np.random.default_rng(SEED)
    if len(labels) > MOST_IMPORTANCE_ROWS:
        drawn = chance.choice(len(labels), MOST_IMPORTANCE_ROWS, replace=False)
        matrix, labels = matrix[drawn], labels[drawn]
    whole = metrics.auc(labels, predictor.of_matrix(matrix))
    owners, found = predictor.encoder.owners, []
    for place, field in enumerate(predictor.encoder.fields):
        own, losses = owners == place, []
        for _each in range(REPEATS):
            shuffled = matrix.copy()
            shuffled[:, own] = matrix[chance.permutation(len(matrix))][:, own]
            losses.append(whole - metrics.auc(labels, predictor.of_matrix(shuffled)))
        found.append({"field": field.name, "loss": float(np.mean(losses))})
    return sorted(found, key=lambda one: (-one["loss"], one["field"]))


def distributions(encoder: Encoder, matrix: np.ndarray) -> dict[str, list[float]]:
    """Per field how many rows fall into each of its groups: what drift is measured against."""
    owners = encoder.owners
    return {
        field.name: group_counts(matrix[:, owners == place], field.kind)
        for place, field in enumerate(encoder.fields)
    }


def group_counts(block: np.ndarray, kind: str) -> list[float]:
    """Rows per level of a category, or per bin of a number; those not known come first there."""
    if kind == "category":
        return block.sum(axis=0).tolist()
    unknown, above = block[:, 1].sum(), block[:, 2:].sum(axis=0)
    steps = np.concatenate([[len(block) - unknown], above, [0.0]])
    return [float(unknown), *(steps[:-1] - steps[1:]).tolist()]


def _rival(name: str, newest: Table) -> dict[str, Any]:
    """The same hold-out, ranked by another score; rows without one rank last."""
    scores = np.array([-np.inf if c in (None, "") else float(c) for c in newest.columns[name]])
    labels = np.array(newest.labels)
    scores = np.where(np.isneginf(scores), -1e12, scores)
    low, high = metrics.auc_interval(labels, scores)
    return {
        "name": name,
        "auc": metrics.auc(labels, scores),
        "auc_low": low,
        "auc_high": high,
        "lift": metrics.lift_at(labels, scores),
    }


def _verdict(figures: dict[str, Any]) -> str:
    """On only when the whole confidence interval of the AUC lies above chance."""
    low = figures["auc_low"]
    return ON if low is not None and low > 0.5 else NO_SIGNAL
