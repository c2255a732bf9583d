"""What a training reads: named columns, one cell per row, a label, and an order in time."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

Cell = str | float | None


@dataclass(frozen=True)
class Table:
    """Rows in any order. All sequences but `columns` have one entry per row.

    `columns`  name → cells; None or "" is "not known"
    `labels`   1 where the outcome came, else 0
    `order`    when the row was looked at; rows are split by it (any unit, e.g. seconds)
    `known_at` when the label was known, in the unit of `order`; None: at once
    """

    columns: Mapping[str, Sequence[Cell]]
    labels: Sequence[int]
    order: Sequence[float]
    known_at: Sequence[float] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.columns)

    def take(self, places: Sequence[int]) -> Table:
        """The rows at these places, in that order."""
        return Table(
            columns={name: [cells[i] for i in places] for name, cells in self.columns.items()},
            labels=[self.labels[i] for i in places],
            order=[self.order[i] for i in places],
            known_at=None if self.known_at is None else [self.known_at[i] for i in places],
        )

    def having(self, name: str, cells: Sequence[Cell]) -> Table:
        return replace(self, columns={**self.columns, name: cells})

    def without(self, names: Sequence[str]) -> Table:
        kept = {name: cells for name, cells in self.columns.items() if name not in set(names)}
        return replace(self, columns=kept)


def split_by_time(table: Table, newest: float) -> tuple[Table, Table]:
    """(older rows, the newest share of rows). Nothing of the older ones is from the future.

    Rows of one instant stay together, on the older side. Older rows whose label was
    known only after the first newest row was looked at are left out: at that instant
    nobody could have learned from them.
    """
    places = sorted(range(len(table)), key=lambda i: table.order[i])
    cut = int(len(places) * (1 - newest))
    instants = [table.order[i] for i in places]
    if 0 < cut < len(places) and instants[cut - 1] == instants[cut]:
        cut = bisect_right(instants, instants[cut])
    older, newer = places[:cut], places[cut:]
    if table.known_at is not None and newer:
        border = table.order[newer[0]]
        known = table.known_at
        older = [i for i in older if known[i] <= border]
    return table.take(older), table.take(newer)
