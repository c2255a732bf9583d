"""What each column of a file holds, found in one pass over all of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field

from leads.imports import dates, values
from leads.imports.reading import Row

# Columns with at most this many different values can be mapped value by value.
MOST_VALUES = 60
SAMPLE_LENGTH = 80
# A column whose first values are none of a kind is not looked at further for that kind.
PATIENCE = 300


@dataclass(frozen=True)
class Column:
    """One column: its name, samples, and what its values can be read as.

    `values` maps each different value to its count, or is empty when there are too
    many. `date_orders` and `decimal_marks` are None when nothing looks like one;
    empty when the values contradict each other. They matter only when some value
    `needs_order` or `needs_mark` to be understood.
    """

    index: int
    name: str
    filled: int
    samples: list[str]
    values: dict[str, int]
    date_orders: list[str] | None
    decimal_marks: list[str] | None
    needs_order: bool
    needs_mark: bool
    kind: str

    def as_json(self) -> dict:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict) -> Column:
        return cls(**data)


@dataclass
class _Survey:
    """Gathers one column while the rows go by. Counts of kinds are of values looked at."""

    name: str
    filled: int = 0
    distinct: Counter[str] = field(default_factory=Counter)
    is_varied: bool = False
    tried: int = 0
    date_count: int = 0
    number_count: int = 0
    date_orders: frozenset[str] | None = None
    decimal_marks: frozenset[str] | None = None
    needs_order: bool = False
    needs_mark: bool = False

    def add(self, cell: str) -> None:
        self.filled += 1
        if cell in self.distinct:
            self.distinct[cell] += 1
            return
        if not self.is_varied:
            self.distinct[cell] = 1
            self.is_varied = len(self.distinct) > MOST_VALUES
        self.tried += 1
        if self.date_count or self.tried <= PATIENCE:
            self._try_date(cell)
        if self.number_count or self.tried <= PATIENCE:
            self._try_number(cell)

    def _try_date(self, cell: str) -> None:
        if fits := dates.orders_that_fit(cell):
            self.date_count += 1
            self.date_orders = fits if self.date_orders is None else self.date_orders & fits
            self.needs_order = self.needs_order or dates.needs_order(cell)

    def _try_number(self, cell: str) -> None:
        if fits := values.marks_that_fit(cell):
            self.number_count += 1
            marks = self.decimal_marks
            self.decimal_marks = fits if marks is None else marks & fits
            self.needs_mark = self.needs_mark or values.needs_mark(cell)

    def finish(self, index: int) -> Column:
        return Column(
            index=index,
            name=self.name,
            filled=self.filled,
            samples=[value[:SAMPLE_LENGTH] for value in list(self.distinct)[:5]],
            values={} if self.is_varied else dict(self.distinct.most_common()),
            date_orders=None if self.date_orders is None else sorted(self.date_orders),
            decimal_marks=None if self.decimal_marks is None else sorted(self.decimal_marks),
            needs_order=self.needs_order,
            needs_mark=self.needs_mark,
            kind=self._kind(),
        )

    def _kind(self) -> str:
        """The kind of custom field these values suggest; text unless nearly all agree."""
        if not self.filled:
            return "text"
        if not self.is_varied and all(values.read_boolean(v) is not None for v in self.distinct):
            return "boolean" if len(self.distinct) <= 2 else "number"
        if self.date_count >= 0.9 * self.tried:
            return "date"
        if self.number_count >= 0.9 * self.tried:
            return "number"
        return "text"


def survey(header: Iterable[str], rows: Iterable[Row]) -> list[Column]:
    """One Column per name in `header`, in its order."""
    surveys = [_Survey(name) for name in header]
    for row in rows:
        for each, cell in zip(surveys, row.cells, strict=False):
            if cell:
                each.add(cell)
    return [each.finish(index) for index, each in enumerate(surveys)]
