"""Writes the planned episodes of many leads with COPY; behind the door of leads/lifecycle.py.

A model instance per episode would take longer than PostgreSQL takes to check it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from django.db import connection

from leads.actors import Actor
from leads.models import Lead, Standing

if TYPE_CHECKING:
    from leads.imports.history import Step

COPY = """
COPY leads_stageepisode (lead_id, seq, previous_seq, from_stage, stage, entry_kind,
    starts_cycle, cycle, entered_at, left_at, exit_kind, is_pass_through, is_date_unknown,
    actor_kind, actor_id, actor_label, reason, is_override, criteria, model_version) FROM STDIN
"""
# What a lead repeats of its newest episode.
SAVE_CACHES = """
UPDATE leads_lead AS mine SET stage = new.stage, cycle = new.cycle,
    stage_entered_at = new.stage_entered_at, is_stage_date_unknown = new.is_date_unknown,
    episode_seq = new.episode_seq
FROM unnest(%s::bigint[], %s::text[], %s::int[], %s::timestamptz[], %s::bool[], %s::int[])
    AS new (id, stage, cycle, stage_entered_at, is_date_unknown, episode_seq)
WHERE mine.id = new.id
"""


class History(NamedTuple):
    """The steps of one lead, as rows of leads_stageepisode from `seq` to `is_date_unknown`."""

    lead: Lead
    rows: list[tuple]
    # The lead has a row already, which still says where it stood before.
    is_behind: bool


def told(lead: Lead, steps: Sequence[Step]) -> History:
    """Bring the lead in memory to the end of these steps. One that is new may be saved then."""
    is_behind = lead.pk is not None
    return History(lead, list(_rows(lead, steps)), is_behind)


def write(histories: Sequence[History], *, by: Actor, reason: str) -> list[Lead]:
    """Append to the history of each lead, which is saved by now; returns the leads."""
    leads = [history.lead for history in histories]
    versions = dict(Standing.objects.filter(lead__in=leads).values_list("lead_id", "model_version"))
    who = (by.kind, by.user.pk if by.user else None, by.label, reason, False, "[]")
    with connection.cursor() as cursor:
        with cursor.copy(COPY) as copy:
            for lead, rows, _is_behind in histories:
                for row in rows:
                    copy.write_row((lead.pk, *row, *who, versions.get(lead.pk)))
        if behind := [history.lead for history in histories if history.is_behind]:
            columns = zip(*map(_caches, behind), strict=True)
            cursor.execute(SAVE_CACHES, [list(column) for column in columns])
    return leads


def _rows(lead: Lead, steps: Sequence[Step]) -> Iterator[tuple]:
    """The columns that tell the steps apart; the lead's caches follow step by step.

    All but the last arrive closed, as the next one begins: PostgreSQL compares both.
    """
    arrivals = list(_instants(lead, steps))
    for step, at, next_step, next_at in zip_longest(steps, arrivals, steps[1:], arrivals[1:]):
        move = step.move
        previous = lead.episode_seq or None
        lead.stage, lead.episode_seq = str(move.to_stage), lead.episode_seq + 1
        lead.cycle += int(move.starts_cycle)
        lead.stage_entered_at, lead.is_stage_date_unknown = at, step.is_date_unknown
        yield (
            lead.episode_seq,
            previous,
            str(move.from_stage),
            lead.stage,
            str(move.kind),
            move.starts_cycle,
            lead.cycle,
            at,
            next_at,
            str(next_step.move.kind) if next_step else "",
            step.is_pass_through,
            step.is_date_unknown,
        )


def _instants(lead: Lead, steps: Sequence[Step]) -> Iterator[datetime]:
    """When each step happened. History never runs backwards."""
    since = lead.stage_entered_at
    for step in steps:
        since = max(step.at, since) if since else step.at
        yield since


def _caches(lead: Lead) -> tuple:
    return (
        *(lead.pk, lead.stage, lead.cycle, lead.stage_entered_at, lead.is_stage_date_unknown),
        lead.episode_seq,
    )
