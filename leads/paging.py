"""Pages of a long list by keyset: page 800 costs what page 1 costs.

A page is addressed by the row it continues after (or comes before), not by a
number, and that row's place is looked up when the page is opened. So addresses
hold no personal data, and a row that moved meanwhile can at worst be seen twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from django.db.models import F, Model, Q, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Coalesce, Lower
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from leads.models import BY_NAME, NEVER, STAGE_SINCE
from leads.standing_models import NO_SCORE

PAGE_SIZE = 50


@dataclass(frozen=True)
class Sort:
    """One allowed order. An index on (expression, id) stands behind each."""

    label: str | Promise
    expression: Combinable
    is_descending: bool = True
    # A row the expression reads, which every listed row has: makes an inner join,
    # which can walk that row's index.
    joins: str = ""


LEAD_SORTS: dict[str, Sort] = {
    "score": Sort(_("Score"), F("standing__score"), joins="standing"),
    "activity": Sort(
        _("Last activity"),
        Coalesce("last_activity__at", Value(NEVER)),
        joins="last_activity",
    ),
    "name": Sort(_("Name"), BY_NAME, is_descending=False),
    "newest": Sort(_("Newest"), F("created_at")),
    # Whose date nobody knows comes last.
    "since": Sort(_("In stage since"), STAGE_SINCE),
}
DEFAULT_SORT = "score"
ACCOUNT_SORTS: dict[str, Sort] = {
    "name": Sort(_("Name"), Lower("name"), is_descending=False),
    "score": Sort(_("Score"), Coalesce("standing__score", NO_SCORE), joins="standing"),
}


@dataclass(frozen=True)
class Page[Row: Model]:
    """One page of a list. `after` / `before` address its neighbours; None where there is none."""

    rows: list[Row]
    after: int | None
    before: int | None


def read_page[Row: Model](
    rows: QuerySet[Row],
    sort: Sort,
    *,
    after: int | None = None,
    before: int | None = None,
    size: int = PAGE_SIZE,
) -> Page[Row]:
    """The page behind row `after`, or the one in front of row `before`, or the first."""
    if sort.joins:
        rows = rows.filter(**{f"{sort.joins}__isnull": False})
    rows = cast("QuerySet[Row]", rows.annotate(place=sort.expression))
    anchor = _anchor(rows, before or after)
    backwards = bool(before and anchor)
    if anchor:
        rows = rows.filter(_beyond(anchor, sort.is_descending, backwards))
    found = list(rows.order_by(*_order(sort.is_descending, backwards))[: size + 1])
    has_more, found = len(found) > size, found[:size]
    if backwards:
        found.reverse()
    has_before, has_after = (has_more, True) if backwards else (bool(anchor), has_more)
    return Page(
        found,
        after=found[-1].pk if found and has_after else None,
        before=found[0].pk if found and has_before else None,
    )


def row_number(text: str | None) -> int | None:
    """The address of a page from a URL; None when it is none."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else None


def _anchor(rows: QuerySet, pk: int | None) -> tuple | None:
    """Where the named row stands; None when it is not, or no longer, in this list."""
    if not pk:
        return None
    return rows.filter(pk=pk).exclude(place=None).values_list("place", "pk").first()


def _beyond(anchor: tuple, is_descending: bool, backwards: bool) -> Q:
    """Rows behind the anchor: one range of the index, then the tie decided by id."""
    place, pk = anchor
    way = "lt" if is_descending != backwards else "gt"
    tie = Q(pk__lt=pk) if backwards else Q(pk__gt=pk)
    return Q(**{f"place__{way}e": place}) & (Q(**{f"place__{way}": place}) | tie)


def _order(is_descending: bool, backwards: bool) -> tuple:
    place = F("place").desc() if is_descending != backwards else F("place").asc()
    return place, "-pk" if backwards else "pk"
