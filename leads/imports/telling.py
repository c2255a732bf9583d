"""What a record says about a lead's history, in the terms of leads/imports/history.py."""

from __future__ import annotations

from leads.imports.dates import Moment
from leads.imports.fields import ENTERED, OUTCOME_AT, STAGE
from leads.imports.history import NEEDED_BEFORE, Told
from leads.imports.interpret import Record
from leads.imports.notes import Note
from leads.stages import POSITION, Stage

OUTCOMES = frozenset({Stage.CUSTOMER.value, *NEEDED_BEFORE})


def told_by(record: Record) -> Told:
    """Dates by stage; the outcome's date belongs to the outcome the stage column names."""
    final = record.values.get(STAGE, "")
    dated: dict[str, Moment] = {
        key.removeprefix(ENTERED): value
        for key, value in record.values.items()
        if key.startswith(ENTERED)
    }
    undated = {key.removeprefix(ENTERED) for key in record.unreadable if key.startswith(ENTERED)}
    closed = record.values.get(OUTCOME_AT)
    if closed is not None and final in OUTCOMES:
        dated.setdefault(final, closed)
    return Told(dated=dated, undated=undated, final=final)


def contradiction(told: Told) -> Note | None:
    """A note when the row gives dates for stages beyond the one it says the lead is in."""
    later = told.furthest
    if told.final in POSITION and later != told.final:
        return Note("stage_contradicts", {"stage": told.final, "later": later})
    return None
