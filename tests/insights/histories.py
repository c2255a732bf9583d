"""Leads with a given stage history, written as rows: PostgreSQL still holds every rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from zoneinfo import ZoneInfo

from django.db import transaction

from insights import folding
from leads.models import Lead, StageEpisode
from leads.stages import Stage, moves_from, restoring_move

ZONE = ZoneInfo("Europe/Berlin")
_numbers = count(1)


def at(text: str) -> datetime:
    """A wall-clock time in the reporting time zone: "2026-03-01" or "2026-03-01 23:30"."""
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


@dataclass(frozen=True)
class Step:
    """One episode to write."""

    stage: str
    entered_at: datetime
    is_pass_through: bool = False
    is_date_unknown: bool = False


@dataclass(frozen=True)
class History:
    """A lead's way, and what the lead is like."""

    steps: Sequence[Step]
    lead: dict = field(default_factory=dict)


SURVIVOR = History(
    [Step("lead", at("2001-01-01"))], {"channel": "email", "source": "", "country": "DE"}
)


def tell(*steps: str, **fields) -> Lead:
    """Write a lead by lines like "mql 2026-03-01 23:30"; "~" before a date says it is unknown,
    "-" that the stage was passed through."""
    return write(History([_read(step) for step in steps], fields))


def _read(line: str) -> Step:
    stage, _space, when = line.partition(" ")
    return Step(
        stage,
        at(when.lstrip("~-")),
        is_pass_through=when.startswith("-"),
        is_date_unknown=when.startswith("~"),
    )


@transaction.atomic
def write(history: History) -> Lead:
    lead = Lead.objects.create(email=f"p{next(_numbers)}@history.example", **history.lead)
    previous, cycle = "", 1
    episodes = []
    for seq, step in enumerate(history.steps, start=1):
        is_back = previous == Stage.MERGED
        move = restoring_move(step.stage) if is_back else moves_from(previous)[step.stage]
        cycle += move.starts_cycle
        episodes.append(
            StageEpisode(
                lead=lead,
                seq=seq,
                previous_seq=seq - 1 or None,
                from_stage=previous,
                stage=step.stage,
                entry_kind=move.kind,
                starts_cycle=move.starts_cycle,
                cycle=cycle,
                entered_at=step.entered_at,
                is_pass_through=step.is_pass_through,
                is_date_unknown=step.is_date_unknown,
                actor_kind="system",
            )
        )
        previous = step.stage
    StageEpisode.objects.bulk_create(episodes)
    return follow(lead, episodes[-1])


def follow(lead: Lead, newest: StageEpisode) -> Lead:
    """Let the lead repeat its newest episode, as the database demands."""
    lead.stage, lead.stage_entered_at = newest.stage, newest.entered_at
    lead.is_stage_date_unknown = newest.is_date_unknown
    lead.cycle, lead.episode_seq = newest.cycle, newest.seq
    lead.merged_into = _survivor() if newest.stage == Stage.MERGED else None
    lead.save()
    return lead


def with_survivor(told: Sequence[History]) -> Sequence[History]:
    """These histories, and that of the lead which some of them were merged into."""
    return [*told, SURVIVOR] if any(h.steps[-1].stage == Stage.MERGED for h in told) else told


def _survivor() -> Lead:
    began_at = SURVIVOR.steps[0].entered_at
    return Lead.objects.filter(stage_entered_at=began_at).first() or write(SURVIVOR)


def fold() -> None:
    """Fold until nothing waits."""
    while folding.drain():
        pass
