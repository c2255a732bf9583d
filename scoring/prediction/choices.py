"""What the columns of an uploaded file mean to the workbench."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from django.utils.translation import gettext as _

from leads import importing
from leads.import_models import Import
from leads.imports.dates import DateOrder
from leads.imports.profile import Column
from leads.refusals import Refused


@dataclass(frozen=True)
class FileChoices:
    """Names of columns, and which values of the outcome mean reached or not.

    Rows with any other outcome are left out: they are undecided. `date_order` matters only
    where the dates of the order column could be read in several ways.
    """

    outcome: str
    reached: tuple[str, ...]
    missed: tuple[str, ...]
    order: str
    left_out: tuple[str, ...] = ()
    date_order: str = ""

    def as_json(self) -> dict:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict) -> FileChoices:
        lists = {name: tuple(data[name]) for name in ("reached", "missed", "left_out")}
        return cls(**{**data, **lists})

    def check(self, job: Import) -> None:
        """Raise Refused with a sentence for the first thing that makes no sense."""
        columns = {column.name: column for column in importing.columns_of(job)}
        for name in (self.outcome, self.order, *self.left_out):
            if name not in columns:
                raise Refused(_("The file has no column “%(name)s”.") % {"name": name})
        if self.outcome == self.order:
            raise Refused(_("Outcome and order must be two different columns."))
        if not self.reached or not self.missed:
            raise Refused(_("Say which values mean that the outcome came, and which that not."))
        if set(self.reached) & set(self.missed):
            raise Refused(_("A value cannot mean both."))
        if self.date_order and self.date_order not in DateOrder.values:
            raise Refused(_("Choose one of the orders of dates that are offered."))
        if not features(list(columns.values()), self):
            raise Refused(_("No column is left to learn from."))
        order_of_dates(columns[self.order], self)


def features(columns: Sequence[Column], choices: FileChoices) -> list[Column]:
    """The columns to learn from."""
    taken = {choices.outcome, choices.order, *choices.left_out}
    return [column for column in columns if column.name not in taken]


def order_of_dates(column: Column, choices: FileChoices) -> str:
    """In which order the dates of this column are read; empty where each one is certain.

    Raises Refused when the file leaves several orders and nobody has chosen one.
    """
    if choices.date_order:
        return choices.date_order
    fitting = column.date_orders or []
    if len(fitting) == 1:
        return fitting[0]
    if column.kind == "date" and column.needs_order:
        raise Refused(
            _("The dates in “%(name)s” can be read in several ways. Say in which order.")
            % {"name": column.name}
        )
    return ""
