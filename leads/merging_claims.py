"""What senders said of the loser while it was merged: it was written to the survivor.

When the merge is taken apart it goes to the loser, as if it had been said of the loser at once; the
survivor gets back what it had of its own, with what was said of it since.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from leads.capture import augment
from leads.merging_fields import BLANK, CUSTOM, Changes, own_value, read, write
from leads.models import Lead, Merge


class Said(NamedTuple):
    """Fields of a profile and custom values that one message told, and whether it is believed."""

    profile: dict[str, str]
    custom: dict[str, Any]
    is_verified: bool

    def values(self) -> Iterator[tuple[str, Any]]:
        yield from self.profile.items()
        yield from ((f"{CUSTOM}{key}", value) for key, value in self.custom.items())


def give_back(merge: Merge, theirs: Sequence[Said], own: Sequence[Said]) -> None:
    """`theirs` was said of the loser since the merge, `own` of the survivor; both in their order.

    What the survivor has is the loser's if it was said of the loser, and not its own as well.
    """
    rows = Lead.objects.select_for_update(no_key=True).order_by("pk")
    leads = {lead.pk: lead for lead in rows.filter(pk__in=(merge.survivor_id, merge.loser_id))}
    survivor, loser = leads[merge.survivor_id], leads[merge.loser_id]
    lent = {pair for said in theirs for pair in said.values()}
    changes: Changes = {}
    for column in sorted({column for column, _value in lent}):
        current = read(survivor, column)
        if (column, current) in lent and (former := own_value(merge, column)) is not None:
            wanted = _said_since(former[0], column, own)
            if wanted != current:
                changes[column] = [current, wanted]
    write(survivor, changes)
    for said in theirs:
        augment(loser, said.profile, said.custom, is_verified=said.is_verified)


def _said_since(value: Any, column: str, own: Sequence[Said]) -> Any:
    for said in own:
        told = dict(said.values()).get(column)
        if told and (said.is_verified or value in BLANK):
            value = told
    return value
