"""The two kinds of models, as plain numbers that go to JSON and back: no pickles.

scikit-learn fits them; what it found is copied out (coefficients, nodes of trees) and
evaluated here with numpy, to the same log-odds. Both kinds also say what each field
added to the log-odds of a row, and those parts add up to the whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np

LEAF = -1
SEED = 20


class Estimator(Protocol):
    def log_odds(self, matrix: np.ndarray) -> np.ndarray:
        """Shape (rows,)."""

    def parts(self, matrix: np.ndarray, owners: np.ndarray, fields: int) -> np.ndarray:
        """Shape (rows, fields): what each field adds to the log-odds of the average row."""

    def as_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Linear:
    """Log-odds = intercept + coefficients · row. `means`: the average training row."""

    intercept: float
    coefficients: tuple[float, ...]
    means: tuple[float, ...]

    def log_odds(self, matrix: np.ndarray) -> np.ndarray:
        return self.intercept + matrix @ np.array(self.coefficients)

    def parts(self, matrix: np.ndarray, owners: np.ndarray, fields: int) -> np.ndarray:
        moved = (matrix - np.array(self.means)) * np.array(self.coefficients)
        found = np.zeros((len(matrix), fields))
        for column, owner in enumerate(owners):
            found[:, owner] += moved[:, column]
        return found

    def as_json(self) -> dict[str, Any]:
        return {"kind": "linear", **asdict(self)}


@dataclass(frozen=True)
class Tree:
    """Nodes in arrays; a row goes left where its value ≤ `threshold`.

    `value` of a leaf is what it adds to the log-odds; of another node the mean of
    the leaves below, weighted by training rows.
    """

    column: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    value: np.ndarray

    def steps(self, matrix: np.ndarray):
        """Yield (rows, nodes they are at, nodes they go to) from the root down."""
        rows = np.arange(len(matrix))
        nodes = np.zeros(len(matrix), dtype=int)
        while True:
            inner = self.left[nodes] != LEAF
            rows, nodes = rows[inner], nodes[inner]
            if not len(rows):
                return
            goes_left = matrix[rows, self.column[nodes]] <= self.threshold[nodes]
            following = np.where(goes_left, self.left[nodes], self.right[nodes])
            yield rows, nodes, following
            nodes = following


@dataclass(frozen=True)
class Boosted:
    """Log-odds = base + the sum of small trees over the plain columns of the matrix."""

    base: float
    columns: tuple[int, ...]
    trees: tuple[Tree, ...]

    def log_odds(self, matrix: np.ndarray) -> np.ndarray:
        rows = self._rows(matrix)
        total = np.full(len(rows), self.base)
        for tree in self.trees:
            total += tree.value[0]
            for some, here, there in tree.steps(rows):
                total[some] += tree.value[there] - tree.value[here]
        return total

    def parts(self, matrix: np.ndarray, owners: np.ndarray, fields: int) -> np.ndarray:
        """Each step of a path belongs to the field that decided it (Saabas 2014)."""
        rows, found = self._rows(matrix), np.zeros((len(matrix), fields))
        owner_of = owners[np.array(self.columns, dtype=int)]
        for tree in self.trees:
            for some, here, there in tree.steps(rows):
                found[some, owner_of[tree.column[here]]] += tree.value[there] - tree.value[here]
        return found

    def _rows(self, matrix: np.ndarray) -> np.ndarray:
        # scikit-learn compares 32-bit values with 64-bit thresholds.
        return matrix[:, list(self.columns)].astype(np.float32)

    def as_json(self) -> dict[str, Any]:
        trees = [{name: array.tolist() for name, array in vars(t).items()} for t in self.trees]
        return {"kind": "boosted", "base": self.base, "columns": self.columns, "trees": trees}


def from_json(data: dict[str, Any]) -> Estimator:
    if data["kind"] == "linear":
        return Linear(data["intercept"], tuple(data["coefficients"]), tuple(data["means"]))
    trees = tuple(Tree(**{name: np.array(v) for name, v in t.items()}) for t in data["trees"])
    return Boosted(data["base"], tuple(data["columns"]), trees)


def fit_linear(matrix: np.ndarray, labels: np.ndarray, plain: np.ndarray, **params) -> Linear:
    """Logistic regression with an L2 penalty; `strength` is scikit-learn's C."""
    # Who only predicts needs no scikit-learn.
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=params["strength"], max_iter=3000)
    model.fit(matrix, labels)
    return Linear(
        float(model.intercept_[0]),
        tuple(map(float, model.coef_[0])),
        tuple(map(float, matrix.mean(axis=0))),
    )


def fit_boosted(matrix: np.ndarray, labels: np.ndarray, plain: np.ndarray, **params) -> Boosted:
    """Stochastic gradient boosting of trees (Friedman 2002)."""
    from sklearn.ensemble import GradientBoostingClassifier

    model = GradientBoostingClassifier(
        n_estimators=params["trees"],
        max_depth=params["depth"],
        learning_rate=params["rate"],
        min_samples_leaf=params["leaf"],
        subsample=0.6,
        max_features=0.3,
        random_state=SEED,
    )
    model.fit(matrix[:, plain], labels)
    share = labels.mean()
    return Boosted(
        base=float(np.log(share / (1 - share))),
        columns=tuple(map(int, plain)),
        trees=tuple(_tree(one.tree_, params["rate"]) for one in model.estimators_[:, 0]),
    )


def _tree(fitted: Any, rate: float) -> Tree:
    left, right = fitted.children_left, fitted.children_right
    value = fitted.value[:, 0, 0] * rate
    weight = fitted.weighted_n_node_samples
    for node in range(len(left) - 1, -1, -1):  # children come after their parents
        if left[node] != LEAF:
            here, there = left[node], right[node]
            both = weight[here] * value[here] + weight[there] * value[there]
            value[node] = both / (weight[here] + weight[there])
    column = np.where(left == LEAF, 0, fitted.feature)
    return Tree(column, fitted.threshold.copy(), left.copy(), right.copy(), value)


Fit = Callable[..., Estimator]


@dataclass(frozen=True)
class Candidate:
    name: str
    fit: Fit
    params: dict[str, float]


CANDIDATES = (
    Candidate("linear", fit_linear, {"strength": 0.03}),
    Candidate("linear", fit_linear, {"strength": 0.3}),
    Candidate("boosted", fit_boosted, {"trees": 100, "depth": 2, "rate": 0.1, "leaf": 20}),
    Candidate("boosted", fit_boosted, {"trees": 150, "depth": 4, "rate": 0.05, "leaf": 20}),
    Candidate("boosted", fit_boosted, {"trees": 150, "depth": 5, "rate": 0.03, "leaf": 20}),
)
