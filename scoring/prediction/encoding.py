"""Columns of text and numbers as a matrix, the same way at training and at prediction.

What was learned from the training rows (levels, means, edges) is plain data that goes
to JSON. "Not known" is a value of its own, never 0 and never the mean in disguise.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from scoring.prediction.tables import Cell, Table

# A value rarer than this among the training rows is "another value".
LEAST_ROWS_PER_LEVEL = 10
MOST_LEVELS = 60
BINS = 8
# A column is one of numbers when nearly all of its known cells are.
SHARE_OF_NUMBERS = 0.98
FEWEST_NUMBERS = 4  # different ones; fewer are categories
# Beyond these shares of the training rows nothing is extrapolated: a value counts as the border.
LOWEST, HIGHEST = 0.01, 0.99

NUMBER, CATEGORY = "number", "category"


@dataclass(frozen=True)
class Field:
    """How one column is read. `levels` of categories; the others of numbers.

    `low`, `high`, `mean` and `spread` are of squeezed values, `edges` of plain ones.
    """

    name: str
    kind: str
    levels: tuple[str, ...] = ()
    low: float = 0.0
    high: float = 0.0
    mean: float = 0.0
    spread: float = 1.0
    edges: tuple[float, ...] = ()

    @property
    def width(self) -> int:
        """Columns of the matrix: categories have one per level, one for others, one for none."""
        return len(self.levels) + 2 if self.kind == CATEGORY else 2 + len(self.edges)

    def as_matrix(self, cells: Sequence[Cell]) -> np.ndarray:
        """Shape (rows, width). Numbers: scaled value, "not known", and one step per edge."""
        if self.kind == CATEGORY:
            return self._one_hot(cells)
        values = numbers_of(cells)
        is_known = ~np.isnan(values)
        bounded = np.clip(squeezed(values), self.low, self.high)
        scaled = np.where(is_known, (bounded - self.mean) / self.spread, 0.0)
        steps = [np.where(is_known, values > edge, False) for edge in self.edges]
        return np.column_stack([scaled, ~is_known, *steps]).astype(float)

    def _one_hot(self, cells: Sequence[Cell]) -> np.ndarray:
        place = {level: index for index, level in enumerate(self.levels)}
        other, none = len(self.levels), len(self.levels) + 1
        texts = map(text_of, cells)
        places = [place.get(text, other) if text else none for text in texts]
        matrix = np.zeros((len(places), self.width))
        matrix[np.arange(len(places)), places] = 1.0
        return matrix


@dataclass(frozen=True)
class Encoder:
    """All fields in the order of the matrix. `dropped`: columns that say nothing by themselves."""

    fields: tuple[Field, ...]
    dropped: tuple[str, ...] = field(default=())

    @classmethod
    def learn(cls, table: Table) -> Encoder:
        """Type every column by the training rows alone."""
        found = {name: learn_field(name, cells) for name, cells in table.columns.items()}
        return cls(
            fields=tuple(one for one in found.values() if one is not None),
            dropped=tuple(name for name, one in found.items() if one is None),
        )

    def matrix(self, table: Table) -> np.ndarray:
        """Shape (rows, sum of widths)."""
        blocks = [one.as_matrix(table.columns[one.name]) for one in self.fields]
        return np.column_stack(blocks) if blocks else np.zeros((len(table), 0))

    @property
    def owners(self) -> np.ndarray:
        """For each column of the matrix the index of its field."""
        return np.repeat(np.arange(len(self.fields)), [one.width for one in self.fields])

    @property
    def plain_columns(self) -> np.ndarray:
        """Columns that trees use: they find their own steps, so those of numbers are left out."""
        kept = [
            np.arange(one.width) < (2 if one.kind == NUMBER else one.width) for one in self.fields
        ]
        return np.flatnonzero(np.concatenate(kept)) if kept else np.zeros(0, dtype=int)

    def as_json(self) -> dict:
        return {"fields": [asdict(one) for one in self.fields], "dropped": list(self.dropped)}

    @classmethod
    def from_json(cls, data: dict) -> Encoder:
        fields = tuple(
            Field(**{**one, "levels": tuple(one["levels"]), "edges": tuple(one["edges"])})
            for one in data["fields"]
        )
        return cls(fields, tuple(data["dropped"]))


def text_of(cell: Cell) -> str:
    """A cell as a category: without the spaces around it; empty when it is not known."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    return (f"{cell:g}" if isinstance(cell, float) else str(cell)).strip()


def number_of(cell: Cell) -> float:
    """A cell as a number; NaN when it is none."""
    if cell is None:
        return math.nan
    try:
        value = float(cell)
    except ValueError:
        return math.nan
    return value if math.isfinite(value) else math.nan


def numbers_of(cells: Sequence[Cell]) -> np.ndarray:
    return np.array([number_of(cell) for cell in cells], dtype=float)


def squeezed(values: np.ndarray) -> np.ndarray:
    """sign(x) · ln(1 + |x|): counts and amounts have long tails."""
    return np.sign(values) * np.log1p(np.abs(values))


def learn_field(name: str, cells: Sequence[Cell]) -> Field | None:
    """How to read a column; None when all rows say the same or no value repeats."""
    values = numbers_of(cells)
    known_count = sum(1 for cell in cells if text_of(cell))
    numbers = values[~np.isnan(values)]
    is_number = known_count and len(numbers) >= SHARE_OF_NUMBERS * known_count
    if is_number and len(np.unique(numbers)) >= FEWEST_NUMBERS:
        return _number_field(name, numbers)
    return _category_field(name, cells)


def _number_field(name: str, numbers: np.ndarray) -> Field:
    squeezed_all = squeezed(numbers)
    # Values that were there, not between two: else a rare count would leave a sliver of spread.
    low = float(np.quantile(squeezed_all, LOWEST, method="higher"))
    high = float(np.quantile(squeezed_all, HIGHEST, method="lower"))
    scaled = np.clip(squeezed_all, low, high)
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, BINS + 1)[1:-1]))
    return Field(
        name,
        NUMBER,
        low=low,
        high=high,
        mean=float(scaled.mean()),
        spread=float(scaled.std()) or 1.0,
        edges=tuple(map(float, edges[edges < numbers.max()])),
    )


def _category_field(name: str, cells: Sequence[Cell]) -> Field | None:
    counts = Counter(map(text_of, cells))
    none_count = counts.pop("", 0)
    levels = [v for v, n in counts.most_common(MOST_LEVELS) if n >= LEAST_ROWS_PER_LEVEL]
    rest = len(cells) - none_count - sum(counts[level] for level in levels)
    groups = [n for n in (rest, none_count) if n >= LEAST_ROWS_PER_LEVEL]
    if len(levels) + len(groups) < 2:
        return None
    return Field(name, CATEGORY, levels=tuple(sorted(levels)))
