"""Writes the planned episodes of many leads with COPY; behind the door of leads/lifecycle.py.

A model instance per episode would take longer than PostgreSQL takes to check it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from django.db import connection

from leads.actors import Actor
from leads.models import Lead, Standing

if TYPE_CHECKING:
    from leads.imports.history import Step

COPY = """
COPY leads_stageepisode (lead_id, seq, previous_seq, from_stage, stage, entry_kind,
    starts_cycle, cycle, entered_at, exit_kind, is_pass_through, is_date_unknown, actor_kind,
    actor_id, actor_label, reason, is_override, criteria, model_version) FROM STDIN
"""
# What a lead repeats of its newest episode.
SAVE_CACHES = """
UPDATE leads_lead AS mine SET stage = new.stage, cycle = new.cycle,
    stage_entered_at = new.stage_entered_at, episode_seq = new.episode_seq
FROM unnest(%s::bigint[], %s::text[], %s::int[], %s::timestamptz[], %s::int[])
    AS new (id, stage, cycle, stage_entered_at, episode_seq)
WHERE mine.id = new.id
"""


def write(
    histories: Sequence[tuple[Lead, Sequence[Step]]], *, by: Actor, reason: str
) -> list[Lead]:
    """Append the steps to each lead's history, in order; returns the leads, brought along."""
    leads = [lead for lead, _steps in histories]
    versions = dict(Standing.objects.filter(lead__in=leads).values_list("lead_id", "model_version"))
    who = (by.kind, by.user.pk if by.user else None, by.label, reason, False, "[]")
    with connection.cursor() as cursor:
        with cursor.copy(COPY) as copy:
            for lead, steps in histories:
                for row in _rows(lead, steps):
                    copy.write_row((*row, *who, versions.get(lead.pk)))
        columns = zip(*map(_caches, leads), strict=True)
        cursor.execute(SAVE_CACHES, [list(column) for column in columns])
    return leads


def _rows(lead: Lead, steps: Sequence[Step]) -> Iterator[tuple]:
    """The first columns of each episode; the lead's caches follow step by step."""
    for step in steps:
        move = step.move
        previous = lead.episode_seq or None
        lead.stage, lead.episode_seq = str(move.to_stage), lead.episode_seq + 1
        lead.cycle += int(move.starts_cycle)
        # History never runs backwards.
        since = lead.stage_entered_at
        lead.stage_entered_at = max(step.at, since) if since else step.at
        yield (
            lead.pk,
            lead.episode_seq,
            previous,
            str(move.from_stage),
            lead.stage,
            str(move.kind),
            move.starts_cycle,
            lead.cycle,
            lead.stage_entered_at,
            "",
            step.is_pass_through,
            step.is_date_unknown,
        )


def _caches(lead: Lead) -> tuple:
    return lead.pk, lead.stage, lead.cycle, lead.stage_entered_at, lead.episode_seq
