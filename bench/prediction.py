"""How good the predictive score is on real histories, beside what others do, in one run.

    python -m bench.prediction <folder with xedu_oldest60.csv and sales_pipeline.csv>

The rivals: gradient boosting tuned by random search on the same inner validation, and a naive
Bayes on binned fields with +0.1 smoothing, as sales tools use it. All learn from the oldest
80 % and are judged on the newest 20 %. ECE is over ten equally wide bins.
"""

from __future__ import annotations

import csv
import io
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from scoring.prediction import metrics
from scoring.prediction.encoding import Encoder, number_of, text_of
from scoring.prediction.learning import HOLD_OUT, VALIDATION, Learned, learn
from scoring.prediction.tables import Table, split_by_time

# Filled in after the outcome.
LEAKS = (
    "Tags",
    "Lead Profile",
    "Lead Quality",
    "Last Notable Activity",
    "Asymmetrique Activity Index",
    "Asymmetrique Profile Index",
    "Asymmetrique Activity Score",
    "Asymmetrique Profile Score",
)
SMOOTHING = 0.1
BINS = 10
TRIES = 20


def education(content: bytes) -> Table:
    """The leads of X Education in order of their number, with all columns."""
    rows = _rows(content)
    names = [n for n in rows[0] if n not in ("Prospect ID", "Lead Number", "Converted")]
    return Table(
        columns={n: ["" if r[n] == "Select" else r[n] for r in rows] for n in names},
        labels=[int(r["Converted"]) for r in rows],
        order=[float(r["Lead Number"]) for r in rows],
    )


def opportunities(content: bytes) -> Table:
    """Decided opportunities, won against lost, by the day they were engaged.

    What is only known at the end (close date, value) is left out.
    """
    rows = [r for r in _rows(content) if r["deal_stage"] in ("Won", "Lost")]
    names = ("sales_agent", "product", "account", "engage_quarter")
    return Table(
        columns={n: [r[n] for r in rows] for n in names},
        labels=[int(r["deal_stage"] == "Won") for r in rows],
        order=[datetime.strptime(r["engage_date"], "%d-%m-%y").timestamp() for r in rows],
    )


def _rows(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def tuned_boosting(table: Table, tries: int = TRIES) -> float:
    """AUC on the newest rows of histogram boosting, best of so many settings by validation."""
    older, newest = split_by_time(table, HOLD_OUT)
    inner, validation = split_by_time(older, VALIDATION)
    chance = np.random.default_rng(0)
    best: tuple[float, dict] = (0.0, {})
    for _each in range(tries):
        params = {
            "learning_rate": float(chance.choice([0.02, 0.03, 0.05, 0.1])),
            "max_iter": int(chance.choice([50, 100, 200, 400])),
            "max_leaf_nodes": int(chance.choice([4, 8, 16, 31])),
            "min_samples_leaf": int(chance.choice([10, 20, 40])),
            "l2_regularization": float(chance.choice([0.0, 1.0, 10.0])),
        }
        best = max(best, (_boosting_auc(inner, validation, params), params), key=lambda b: b[0])
    return _boosting_auc(older, newest, best[1])


def _boosting_auc(older: Table, newest: Table, params: dict) -> float:
    encoder = Encoder.learn(older)
    plain = encoder.plain_columns
    model = HistGradientBoostingClassifier(early_stopping=False, random_state=0, **params)
    # Its threads wait for each other actively: beside other work that takes many times as long.
    with threadpool_limits(limits=1):
        model.fit(encoder.matrix(older)[:, plain], older.labels)
        scores = model.predict_proba(encoder.matrix(newest)[:, plain])[:, 1]
    return metrics.auc(np.array(newest.labels), scores)


def naive_bayes(table: Table) -> float:
    """AUC on the newest rows: fields in bins, independent, counts + 0.1, unknown left out."""
    older, newest = split_by_time(table, HOLD_OUT)
    labels, total = np.array(older.labels), np.zeros(len(newest))
    for name in table.names:
        learned, asked = _binned(older.columns[name], newest.columns[name])
        counts: dict[str, Counter] = defaultdict(Counter)
        for value, label in zip(learned, labels, strict=True):
            counts[value][int(label)] += 1
        won, lost = labels.sum(), len(labels) - labels.sum()
        for place, value in enumerate(asked):
            if value and value in counts:
                seen = counts[value]
                total[place] += np.log((seen[1] + SMOOTHING) / (won + SMOOTHING))
                total[place] -= np.log((seen[0] + SMOOTHING) / (lost + SMOOTHING))
    return metrics.auc(np.array(newest.labels), total)


def _binned(learned: Sequence, asked: Sequence) -> tuple[list[str], list[str]]:
    """Both columns as texts; numbers with many values by their decile."""
    numbers = np.array([number_of(cell) for cell in learned])
    known = numbers[~np.isnan(numbers)]
    if len(np.unique(known)) <= BINS:
        return [text_of(c) for c in learned], [text_of(c) for c in asked]
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]))

    def place(cell) -> str:
        value = number_of(cell)
        return "" if np.isnan(value) else str(np.searchsorted(edges, value))

    return [place(c) for c in learned], [place(c) for c in asked]


def main(folder: Path) -> None:
    whole = education((folder / "xedu_oldest60.csv").read_bytes())
    table = whole.without(LEAKS)
    began = time.perf_counter()
    ours = learn(table)
    _say("X Education", ours, time.perf_counter() - began)
    boosting, bayes = tuned_boosting(table), naive_bayes(table)
    found = ours.report["figures"]
    area = found["auc"]
    _check(f"tuned boosting {boosting:.4f}, ours {area - boosting:+.4f}", area >= boosting - 0.01)
    _check(f"naive Bayes {bayes:.4f}, ours {area - bayes:+.4f}", area >= bayes + 0.01)
    _check(f"ECE {found['ece']:.4f}", found["ece"] <= 0.05)
    leaks = learn(whole).report["leaks"]
    named = ", ".join(f"{leak['field']} {leak['value']:.2f}" for leak in leaks)
    _check(f"leak warnings with all columns: {named}", bool(leaks))
    _check(f"leak warnings without: {ours.report['leaks']}", not ours.report["leaks"])
    deals = learn(opportunities((folder / "sales_pipeline.csv").read_bytes()))
    _say("Opportunities, won against lost", deals, 0.0)
    _check(f"verdict: {deals.verdict}", deals.verdict == "no_signal")


def _say(what: str, learned: Learned, seconds: float) -> None:
    figures, counts = learned.report["figures"], learned.report["counts"]
    print(
        f"{what}: {counts['trained']} rows learned from, {counts['held_out']} held out, "
        f"{learned.report['chosen']}, AUC {figures['auc']:.4f} "
        f"({figures['auc_low']:.3f}–{figures['auc_high']:.3f}), ECE {figures['ece']:.4f}, "
        f"Brier {figures['brier']:.4f}, lift {figures['lift']:.2f}, {seconds:.1f} s"
    )


def _check(what: str, is_met: bool) -> None:
    print(f"  {'met   ' if is_met else 'MISSED'} {what}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
