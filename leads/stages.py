"""The lifecycle, as plain data: six stages, the ways out, and the legal moves.

PostgreSQL holds the same table (leads_stagemove) and refuses any other move;
a test keeps both equal.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from django.db import models
from django.utils.translation import gettext_lazy as _


class Stage(models.TextChoices):
    LEAD = "lead", _("Lead")
    QUALIFIED = "qualified", _("Qualified lead")
    MQL = "mql", _("MQL")
    SAL = "sal", _("SAL")
    SQL = "sql", _("SQL")
    CUSTOMER = "customer", _("Customer")
    # Ways out: a lead rests here, but these are not stages of the funnel.
    DISQUALIFIED = "disqualified", _("Disqualified")
    LOST = "lost", _("Lost")
    CHURNED = "churned", _("Churned")
    MERGED = "merged", _("Merged")


FUNNEL = (Stage.LEAD, Stage.QUALIFIED, Stage.MQL, Stage.SAL, Stage.SQL, Stage.CUSTOMER)
EXITS = (Stage.DISQUALIFIED, Stage.LOST, Stage.CHURNED, Stage.MERGED)
POSITION = {stage: index for index, stage in enumerate(FUNNEL, start=1)}


class EntryKind(models.TextChoices):
    """How an episode began, and so how the one before it ended."""

    CAPTURED = "captured", _("captured")
    ADVANCED = "advanced", _("advanced")
    RECYCLED = "recycled", _("recycled")
    DISQUALIFIED = "disqualified", _("disqualified")
    LOST = "lost", _("lost")
    CHURNED = "churned", _("churned")
    REOPENED = "reopened", _("reopened")
    MERGED = "merged", _("merged")
    # A merge was taken apart: the stay that it interrupted goes on.
    RESTORED = "restored", _("restored")


class Move(NamedTuple):
    """One legal move. `starts_cycle`: the lead begins a new trip through the funnel."""

    from_stage: str
    to_stage: str
    kind: str
    starts_cycle: bool


def _legal_moves() -> tuple[Move, ...]:
    moves = [Move("", Stage.LEAD, EntryKind.CAPTURED, False)]
    moves += [Move(here, there, EntryKind.ADVANCED, False) for here, there in pairwise(FUNNEL)]
    with_sales = (Stage.MQL, Stage.SAL, Stage.SQL)
    moves += [Move(s, Stage.QUALIFIED, EntryKind.RECYCLED, True) for s in with_sales]
    moves += [
        Move(s, Stage.DISQUALIFIED, EntryKind.DISQUALIFIED, False)
        for s in FUNNEL
        if s != Stage.CUSTOMER
    ]
    moves += [Move(s, Stage.LOST, EntryKind.LOST, False) for s in (Stage.SAL, Stage.SQL)]
    moves += [Move(Stage.CUSTOMER, Stage.CHURNED, EntryKind.CHURNED, False)]
    # A customer who buys again, and everyone who left, may start a new cycle.
    back = (Stage.CUSTOMER, Stage.DISQUALIFIED, Stage.LOST, Stage.CHURNED)
    moves += [Move(s, Stage.QUALIFIED, EntryKind.REOPENED, True) for s in back]
    moves += [Move(s, Stage.MERGED, EntryKind.MERGED, False) for s in Stage if s != Stage.MERGED]
    # Only to where the merge took it from, which the database looks up (migration 0018).
    moves += [Move(Stage.MERGED, s, EntryKind.RESTORED, False) for s in Stage if s != Stage.MERGED]
    return tuple(moves)


MOVES = _legal_moves()
# What merges and their undoing put into a history; no figure counts it as a step of its own.
MERGE_KINDS = (EntryKind.MERGED, EntryKind.RESTORED)
_MOVES_FROM: dict[str, dict[str, Move]] = {}
for _move in MOVES:
    if _move.kind != EntryKind.RESTORED:
        _MOVES_FROM.setdefault(_move.from_stage, {})[_move.to_stage] = _move


def moves_from(stage: str) -> dict[str, Move]:
    """The legal moves out of `stage`, by target stage. `""` is a lead not yet captured.

    Out of Merged leads no move that anybody could choose (see restoring_move).
    """
    return _MOVES_FROM.get(stage, {})


def restoring_move(stage: str) -> Move:
    """From Merged back to `stage`, when the merge is taken apart."""
    return Move(Stage.MERGED, stage, EntryKind.RESTORED, False)


def path_between(stage: str, target: str) -> list[Move]:
    """The steps from `stage` to `target`: one legal move, or the forward steps in between.

    Empty when `target` cannot be reached by going forward; Merged is reached by merging only.
    """
    if target == Stage.MERGED:
        return []
    if target in moves_from(stage):
        return [moves_from(stage)[target]]
    order = ("", *FUNNEL)
    if stage not in order or target not in order or order.index(target) <= order.index(stage):
        return []
    steps = order[order.index(stage) : order.index(target) + 1]
    return [moves_from(here)[there] for here, there in pairwise(steps)]
