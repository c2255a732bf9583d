"""Which column becomes what: the decision a person makes about a file, kept with the import."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Self

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads.imports import values
from leads.imports.dates import ALL_ORDERS, DateOrder
from leads.imports.fields import CUSTOM, EXTERNAL_ID, Field, Kind
from leads.imports.profile import Column

IGNORED_VALUE = "ignore"  # a value of a stage column that says nothing about the stage


class OnExisting(models.TextChoices):
    OVERWRITE = "overwrite", gettext_lazy("The file wins")
    FILL = "fill", gettext_lazy("Fill in only what is empty")


class OnUnknown(models.TextChoices):
    CREATE = "create", gettext_lazy("Create it")
    REFUSE = "refuse", gettext_lazy("Report it and leave it out")


@dataclass(frozen=True)
class Use:
    """One use of a column. A column may have several (source and channel, say).

    `system` belongs to an external id, `values` to a stage or channel: from the
    text in the file to ours. `label` and `kind` describe a custom field, which is
    created when the import begins if it does not exist yet.
    """

    column: int
    to: str
    system: str = ""
    values: dict[str, str] = field(default_factory=dict)
    label: str = ""
    kind: str = ""

    @cached_property
    def custom_key(self) -> str:
        return self.to.removeprefix(CUSTOM) if self.to.startswith(CUSTOM) else ""


@dataclass(frozen=True)
class Mapping:
    """Everything that says how rows are to be read. Plain data; JSON in the database."""

    target: str
    uses: tuple[Use, ...] = ()
    constants: dict[str, str] = field(default_factory=dict)
    unset: tuple[str, ...] = ()
    date_order: str = ""
    decimal_mark: str = ""
    on_existing: str = OnExisting.OVERWRITE
    on_unknown: str = OnUnknown.CREATE

    def as_json(self) -> dict:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict) -> Self:
        uses = tuple(Use(**use) for use in data["uses"])
        return cls(**{**data, "uses": uses, "unset": tuple(data["unset"])})

    def uses_of(self, column: int) -> list[Use]:
        return [use for use in self.uses if use.column == column]

    def uses_to(self, *keys: str) -> list[Use]:
        return [use for use in self.uses if use.to in keys]

    def has(self, *keys: str) -> bool:
        """Whether any of these fields gets a value, from a column or as a constant."""
        return bool(self.uses_to(*keys)) or any(self.constants.get(key) for key in keys)


def kind_of(use: Use, fields: dict[str, Field]) -> str:
    return use.kind if use.custom_key else fields[use.to].kind


def possible_orders(mapping: Mapping, columns: Sequence[Column], fields: dict) -> frozenset[str]:
    """The date orders that fit every mapped date column; all when none needs an order.

    Empty when the columns contradict each other.
    """
    remaining = ALL_ORDERS
    for column in _columns_of(mapping, columns, fields, Kind.DATE, Kind.MOMENT):
        if column.needs_order:
            remaining &= frozenset(column.date_orders or ALL_ORDERS)
    return remaining


def is_order_needed(mapping: Mapping, columns: Sequence[Column], fields: dict) -> bool:
    dated = _columns_of(mapping, columns, fields, Kind.DATE, Kind.MOMENT)
    return any(column.needs_order for column in dated)


def possible_marks(mapping: Mapping, columns: Sequence[Column], fields: dict) -> frozenset[str]:
    remaining = frozenset((values.DECIMAL_POINT, values.DECIMAL_COMMA))
    for column in _columns_of(mapping, columns, fields, Kind.NUMBER, Kind.WHOLE):
        if column.needs_mark:
            remaining &= frozenset(column.decimal_marks or remaining)
    return remaining


def is_mark_needed(mapping: Mapping, columns: Sequence[Column], fields: dict) -> bool:
    numeric = _columns_of(mapping, columns, fields, Kind.NUMBER, Kind.WHOLE)
    return any(column.needs_mark for column in numeric)


def _columns_of(
    mapping: Mapping, columns: Sequence[Column], fields: dict[str, Field], *kinds: str
) -> list[Column]:
    wanted = {use.column for use in mapping.uses if kind_of(use, fields) in kinds}
    return [column for column in columns if column.index in wanted]


def settled(mapping: Mapping, columns: Sequence[Column], fields: dict[str, Field]) -> Mapping:
    """With date order and decimal mark filled in where the whole file leaves no choice."""
    orders = possible_orders(mapping, columns, fields)
    marks = possible_marks(mapping, columns, fields)
    order, mark = mapping.date_order, mapping.decimal_mark
    if not is_order_needed(mapping, columns, fields):
        order = DateOrder.YMD.value
    elif len(orders) == 1:
        (order,) = orders
    if not is_mark_needed(mapping, columns, fields):
        mark = values.DECIMAL_POINT
    elif len(marks) == 1:
        (mark,) = marks
    return replace(mapping, date_order=order, decimal_mark=mark)


def problems(
    mapping: Mapping, columns: Sequence[Column], fields: dict[str, Field]
) -> Iterator[str]:
    """What still keeps this mapping from being used, as sentences. None: it is ready."""
    if not mapping.uses:
        yield _("No column is mapped yet.")
        return
    yield from _problems_of_uses(mapping, fields)
    if is_order_needed(mapping, columns, fields):
        yield from _problems_of_order(mapping, possible_orders(mapping, columns, fields))
    if is_mark_needed(mapping, columns, fields) and not mapping.decimal_mark:
        yield _("Say whether the comma or the point is the decimal mark in this file.")


def _problems_of_uses(mapping: Mapping, fields: dict[str, Field]) -> Iterator[str]:
    counts = Counter(use.to for use in mapping.uses if use.to != EXTERNAL_ID)
    for key, count in counts.items():
        if count > 1:
            label = fields[key].label if key in fields else key.removeprefix(CUSTOM)
            yield _("Two columns are mapped to “%(field)s”.") % {"field": label}
    systems = Counter(use.system for use in mapping.uses_to(EXTERNAL_ID))
    if "" in systems:
        yield _("Say which system the ids come from.")
    elif max(systems.values(), default=0) > 1:
        yield _("Two columns hold ids of the same system.")


def _problems_of_order(mapping: Mapping, orders: frozenset[str]) -> Iterator[str]:
    if not mapping.date_order:
        yield _("The dates of this file can be read in more than one way. Say in which order.")
    elif orders and mapping.date_order not in orders:
        yield _("The dates of this file do not fit the order %(order)s.") % {
            "order": DateOrder(mapping.date_order).label
        }
