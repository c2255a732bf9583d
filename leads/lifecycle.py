"""The one door through which a lead changes its stage.

UI, API, import, admin and automation all come through `advance` or one of the
ways out. PostgreSQL refuses whatever slips past (migration 0003).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.db import transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from leads import criteria, lifecycle_batch
from leads.actors import Actor, ActorKind
from leads.models import Lead, StageEpisode, Standing
from leads.refusals import Conflict, Refused
from leads.rules import roles_that_move, roles_that_override
from leads.signals import histories_imported, stage_changed
from leads.stages import FUNNEL, EntryKind, Move, Stage, moves_from, path_between, restoring_move

if TYPE_CHECKING:
    from leads.lifecycle_batch import History

# What a lead repeats of its newest episode, and what is decided with it.
CACHES = (
    *("stage", "stage_entered_at", "is_stage_date_unknown", "cycle", "episode_seq"),
    *("not_before_on", "merged_into"),
)


@transaction.atomic
def advance(
    lead_id: int,
    to_stage: str,
    *,
    by: Actor,
    reason: str = "",
    at: datetime | None = None,
    override: bool = False,
    expected_seq: int | None = None,
) -> StageEpisode:
    """Move a lead forward. Stages in between become pass-throughs, by override or import only.

    `expected_seq` is the newest episode the caller has seen; a newer one is a Conflict.
    Raises Refused when the move is illegal, not this actor's, or criteria are not met.
    """
    lead = _locked(lead_id, expected_seq)
    steps = path_between(lead.stage, to_stage)
    is_forward = to_stage in FUNNEL and bool(steps) and not steps[0].starts_cycle
    skips = len(steps) > 1 and not override and by.kind != ActorKind.IMPORT
    if not is_forward or skips:
        raise Refused(_illegal(lead, to_stage))
    _require_role(lead, to_stage, by)
    results = _require_criteria(lead, by, reason, override)
    at = at or now()
    for step in steps[:-1]:
        _write(lead, step, by=by, at=at, is_pass_through=True, reason=reason, is_override=override)
    return _write(
        lead, steps[-1], by=by, at=at, reason=reason, is_override=override, results=results
    )


def recycle(
    lead_id: int,
    *,
    by: Actor,
    reason: str,
    at: datetime | None = None,
    not_before_on: date | None = None,
    **options,
) -> StageEpisode:
    """Send a lead back to nurture: a new cycle, beginning at Qualified lead.

    Without `not_before_on` the usual waiting time runs (leads/criteria.py).
    """
    day = not_before_on or criteria.usual_return_on(at)
    options |= {"kind": EntryKind.RECYCLED, "at": at, "not_before_on": day}
    return _leave(lead_id, Stage.QUALIFIED, by=by, reason=reason, **options)


def reopen(lead_id: int, *, by: Actor, reason: str, **options) -> StageEpisode:
    """Begin a new cycle with someone who left, or with a customer who may buy again."""
    options["kind"] = EntryKind.REOPENED
    return _leave(lead_id, Stage.QUALIFIED, by=by, reason=reason, **options)


def disqualify(lead_id: int, *, by: Actor, reason: str, **options) -> StageEpisode:
    return _leave(lead_id, Stage.DISQUALIFIED, by=by, reason=reason, **options)


def lose(lead_id: int, *, by: Actor, reason: str, **options) -> StageEpisode:
    return _leave(lead_id, Stage.LOST, by=by, reason=reason, **options)


def churn(lead_id: int, *, by: Actor, reason: str, **options) -> StageEpisode:
    return _leave(lead_id, Stage.CHURNED, by=by, reason=reason, **options)


def merge_away(lead: Lead, survivor: Lead, *, by: Actor, at: datetime, reason: str) -> StageEpisode:
    """Close the history of a locked lead that turned out to be `survivor` (leads/merging.py)."""
    lead.merged_into = survivor
    return _write(lead, moves_from(lead.stage)[Stage.MERGED], by=by, at=at, reason=reason)


def restore(lead: Lead, *, by: Actor, at: datetime, reason: str) -> StageEpisode:
    """Bring a locked lead back to the stage that its merge took it from, in the same cycle."""
    lead.merged_into = None
    away = lead.episodes.get(seq=lead.episode_seq)
    return _write(lead, restoring_move(away.from_stage), by=by, at=at, reason=reason)


def begin(lead: Lead, *, by: Actor, at: datetime, is_date_unknown: bool = False) -> StageEpisode:
    """Write the first episode of a lead that was just created (by capture or import)."""
    step = moves_from("")[Stage.LEAD]
    return _write(lead, step, by=by, at=at, is_date_unknown=is_date_unknown)


@transaction.atomic
def record_imported_step(
    lead_id: int,
    to_stage: str,
    *,
    by: Actor,
    at: datetime,
    is_date_known: bool = True,
    reason: str = "",
) -> StageEpisode:
    """Write one dated step of an imported history.

    Stages in between become pass-throughs, marked "date unknown". Imported history
    is fact, so criteria are not asked; legality is.
    """
    lead = _locked(lead_id, None)
    steps = path_between(lead.stage, to_stage)
    if not steps:
        raise Refused(_illegal(lead, to_stage))
    _require_order(lead, at)
    for step in steps[:-1]:
        _write(lead, step, by=by, at=at, is_pass_through=True, is_date_unknown=True, reason=reason)
    return _write(lead, steps[-1], by=by, at=at, is_date_unknown=not is_date_known, reason=reason)


def record_imported_histories(histories: Sequence[History], *, by: Actor, reason: str = "") -> None:
    """Write the imported steps of many leads at once: record_imported_step for a batch.

    The caller's transaction has planned the steps from each lead's present stage
    (leads/imports/history.py), told them (lifecycle_batch.told), and locked the lead or
    created it where they end. PostgreSQL checks each one.
    """
    if histories:
        leads = lifecycle_batch.write(histories, by=by, reason=reason)
        histories_imported.send(sender=StageEpisode, leads=leads, by=by)


@transaction.atomic
def _leave(
    lead_id: int,
    to_stage: str,
    *,
    by: Actor,
    reason: str,
    kind: str = "",
    at: datetime | None = None,
    expected_seq: int | None = None,
    not_before_on: date | None = None,
) -> StageEpisode:
    lead = _locked(lead_id, expected_seq)
    move = moves_from(lead.stage).get(to_stage)
    # To Qualified lead there are two ways, and only one of them waits before it comes back.
    if move is None or (kind and move.kind != kind):
        raise Refused(_illegal(lead, to_stage))
    _require_role(lead, to_stage, by)
    if not reason.strip():
        raise Refused(_("Say why: a reason is needed to move a lead out of the funnel or back."))
    lead.not_before_on = not_before_on
    return _write(lead, move, by=by, at=at or now(), reason=reason)


def _locked(lead_id: int, expected_seq: int | None) -> Lead:
    lead = Lead.objects.select_for_update(no_key=True).get(pk=lead_id)
    if expected_seq is not None and lead.episode_seq != expected_seq:
        newest = lead.episodes.select_related("actor").last()
        raise Conflict(
            _("%(who)s was faster: %(name)s is now in stage %(stage)s.")
            % {
                "who": (newest and newest.actor_label) or _("Somebody"),
                "name": lead.name,
                "stage": lead.get_stage_display(),
            }
        )
    return lead


def _require_role(lead: Lead, to_stage: str, by: Actor) -> None:
    if by.user is not None and by.role not in roles_that_move(lead.stage, to_stage):
        raise Refused(
            _("Your role may not move a lead from %(here)s to %(there)s.")
            % {"here": lead.get_stage_display(), "there": Stage(to_stage).label}
        )


def _require_criteria(lead: Lead, by: Actor, reason: str, override: bool) -> list[criteria.Result]:
    results = criteria.evaluate(lead)
    missing = [result for result in results if not result.is_met]
    if not missing or by.kind == ActorKind.IMPORT:
        return results
    if not override:
        raise Refused(
            _("%(name)s is not ready to leave %(stage)s. Still missing: %(missing)s")
            % {
                "name": lead.name,
                "stage": lead.get_stage_display(),
                "missing": " ".join(result.sentence for result in missing),
            }
        )
    if by.role not in roles_that_override(lead.stage):
        raise Refused(_("Your role may not override criteria in this stage."))
    if not reason.strip():
        raise Refused(_("Say why: an override needs a reason."))
    return results


def _require_order(lead: Lead, at: datetime) -> None:
    if lead.stage_entered_at and at < lead.stage_entered_at:
        raise Refused(
            _("The date %(at)s lies before the lead entered %(stage)s on %(since)s.")
            % {
                "at": f"{at:%Y-%m-%d}",
                "stage": lead.get_stage_display(),
                "since": f"{lead.stage_entered_at:%Y-%m-%d}",
            }
        )


def _illegal(lead: Lead, to_stage: str) -> str:
    allowed = [str(Stage(s).label) for s in moves_from(lead.stage) if s != Stage.MERGED]
    target = Stage(to_stage).label if to_stage in Stage.values else to_stage
    return _("Lead %(id)s cannot move from %(here)s to %(there)s. Allowed next: %(allowed)s.") % {
        "id": lead.pk,
        "here": lead.get_stage_display(),
        "there": target,
        "allowed": ", ".join(allowed) or "–",
    }


def _write(
    lead: Lead,
    move: Move,
    *,
    by: Actor,
    at: datetime,
    reason: str = "",
    is_override: bool = False,
    is_pass_through: bool = False,
    is_date_unknown: bool = False,
    results: list[criteria.Result] | None = None,
) -> StageEpisode:
    """Insert the episode, bring the lead's caches along, tell the house above."""
    # Two clocks may disagree by a little; history never runs backwards.
    at = max(at, lead.stage_entered_at) if lead.stage_entered_at else at
    model_version = Standing.objects.filter(lead=lead).values_list("model_version", flat=True)
    episode = StageEpisode.objects.create(
        lead=lead,
        seq=lead.episode_seq + 1,
        previous_seq=lead.episode_seq or None,
        from_stage=move.from_stage,
        stage=move.to_stage,
        entry_kind=move.kind,
        starts_cycle=move.starts_cycle,
        cycle=lead.cycle + int(move.starts_cycle),
        entered_at=at,
        is_pass_through=is_pass_through,
        is_date_unknown=is_date_unknown,
        actor_kind=by.kind,
        actor=by.user,
        actor_label=by.label,
        reason=reason,
        is_override=is_override,
        criteria=[result.as_snapshot() for result in results or []],
        model_version=model_version.first(),
    )
    lead.stage, lead.stage_entered_at = episode.stage, at
    lead.is_stage_date_unknown = is_date_unknown
    lead.cycle, lead.episode_seq = episode.cycle, episode.seq
    lead.save(update_fields=CACHES)
    if not is_pass_through:
        stage_changed.send(sender=StageEpisode, lead=lead, episode=episode, by=by)
    return episode
