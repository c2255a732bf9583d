"""News from below: hand-offs and opportunities follow their lead."""

from __future__ import annotations

from collections.abc import Sequence

from leads.actors import Actor, ActorKind
from leads.models import Lead, StageEpisode
from leads.stages import Stage
from sales import handoff, opportunities, queries

WITH_SALES = (Stage.MQL, Stage.SAL, Stage.SQL)


def follow_stage(sender, lead: Lead, episode: StageEpisode, by: Actor, **kwargs) -> None:
    """Runs inside the transaction of the move, with the lead's row locked.

    An import tells history: what it leaves in MQL is submitted afterwards, by
    handoff.open_missing, so that steps long past open nothing.
    """
    if episode.from_stage in WITH_SALES:
        note = episode.reason or str(episode.get_stage_display())
        handoff.withdraw(lead, by=by, at=episode.entered_at, note=note)
        opportunities.close_left_behind(lead, by=by, reason=episode.reason)
    if episode.stage == Stage.MQL and by.kind != ActorKind.IMPORT:
        handoff.submit(lead, episode, by=by)
    if episode.stage == Stage.SQL:
        opportunities.open_opportunity(lead, at=episode.entered_at)


def follow_histories(sender, leads: Sequence[Lead], by: Actor, **kwargs) -> None:
    """The same for a batch of imported histories, whose leads the import has locked."""
    for lead in queries.with_stray_handoff(leads):
        handoff.withdraw(lead, by=by, at=lead.stage_entered_at, note=by.label)
    for lead in queries.with_stray_opportunity(leads):
        opportunities.close_left_behind(lead, by=by, reason=by.label)
    opportunities.open_opportunities([lead for lead in leads if lead.stage == Stage.SQL])


def follow_owner(sender, lead: Lead, by: Actor, **kwargs) -> None:
    """A lead that is given to somebody else takes its open hand-off along."""
    handoff.follow_owner(lead, by=by)
