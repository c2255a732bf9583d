"""News from below that may change a score. Each marks leads, in the same commit."""

from __future__ import annotations

from collections.abc import Iterable

from django.dispatch import receiver

from leads.account_standing import mark_accounts_of
from leads.models import StageEpisode
from leads.signals import profile_changed, stage_changed
from leads.stages import Stage
from scoring import rescore
from tracking.signals import event_recorded, verdicts_changed


@receiver(event_recorded, dispatch_uid="scoring.event_recorded")
def on_event_recorded(
    sender: object,
    lead_ids: list[int],
    event_ids: list[int],
    losers: Iterable[int] = (),
    **_news: object,
) -> None:
    gained = rescore.enqueue_events(event_ids)
    rescore.enqueue({*lead_ids} - gained | {*losers})
    mark_accounts_of(lead_ids)


@receiver(verdicts_changed, dispatch_uid="scoring.verdicts_changed")
def on_verdicts_changed(sender: object, lead_ids: list[int], **_news: object) -> None:
    rescore.enqueue(lead_ids)
    mark_accounts_of(lead_ids)


@receiver(profile_changed, dispatch_uid="scoring.profile_changed")
def on_profile_changed(sender: object, lead_ids: list[int], **_news: object) -> None:
    rescore.enqueue(lead_ids)
    mark_accounts_of(lead_ids)


@receiver(stage_changed, dispatch_uid="scoring.stage_changed")
def on_stage_changed(sender: object, episode: StageEpisode, **_news: object) -> None:
    """Who becomes a Qualified lead may have been promising all along; who is disqualified counts
    no more at the account."""
    if episode.stage == Stage.QUALIFIED:
        rescore.enqueue([episode.lead_id])
    if {episode.stage, episode.from_stage} & {Stage.QUALIFIED, Stage.DISQUALIFIED}:
        mark_accounts_of([episode.lead_id])
