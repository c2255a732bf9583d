"""Columns and constraints of the lifecycle: moves, episodes, criteria.

The rules that PostgreSQL itself holds (legal moves, an unbroken chain of
episodes, no edit of history) are in migration 0003.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from leads.actors import ActorKind
from leads.stages import FUNNEL, MERGE_KINDS, EntryKind, Stage
from users.models import User


class StageMove(models.Model):
    """A legal move, as the database knows it (see leads/stages.py)."""

    from_stage = models.CharField(max_length=20, blank=True)
    to_stage = models.CharField(max_length=20)
    kind = models.CharField(max_length=20, choices=EntryKind.choices)
    starts_cycle = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["from_stage", "to_stage", "kind", "starts_cycle"],
                name="leads_stagemove_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.from_stage or '–'} → {self.to_stage}"


class StageEpisode(models.Model):
    """A stay in a stage. Append-only; PostgreSQL closes the one before it."""

    lead = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="episodes")
    seq = models.PositiveIntegerField()
    previous_seq = models.PositiveIntegerField(null=True)
    from_stage = models.CharField(max_length=20, blank=True)
    stage = models.CharField(_("stage"), max_length=20, choices=Stage.choices)
    entry_kind = models.CharField(max_length=20, choices=EntryKind.choices)
    starts_cycle = models.BooleanField(default=False)
    cycle = models.PositiveSmallIntegerField(_("cycle"), default=1)
    entered_at = models.DateTimeField(_("entered"))
    # Both written by the database when the next episode is inserted.
    left_at = models.DateTimeField(_("left"), null=True)
    exit_kind = models.CharField(max_length=20, choices=EntryKind.choices, blank=True)

    # A skipped stage: zero-length, so that "reached" counts stay monotone.
    is_pass_through = models.BooleanField(default=False)
    # The instant is a bound, not a fact (imported history); not in time-in-stage figures.
    is_date_unknown = models.BooleanField(default=False)
    actor_kind = models.CharField(max_length=10, choices=ActorKind.choices)
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    actor_label = models.CharField(max_length=200, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    is_override = models.BooleanField(default=False)
    criteria = models.JSONField(default=list)
    model_version = models.PositiveIntegerField(null=True)
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("lead_id", "seq")
        verbose_name = _("stage episode")
        verbose_name_plural = _("stage episodes")
        # "Is not null" stands beside each comparison: a CHECK lets pass what is unknown.
        constraints = [
            models.UniqueConstraint(fields=["lead", "seq"], name="leads_episode_seq_once"),
            models.UniqueConstraint(
                fields=["lead"], condition=Q(left_at=None), name="leads_episode_one_open"
            ),
            # A merge that is taken apart leads back to a stage that was reached before.
            models.UniqueConstraint(
                fields=["lead", "cycle", "stage"],
                condition=~Q(entry_kind__in=MERGE_KINDS),
                name="leads_episode_stage_once_per_cycle",
            ),
            models.CheckConstraint(
                condition=Q(seq=1, previous_seq=None, from_stage="", cycle=1)
                | (
                    Q(seq__gt=1, previous_seq__isnull=False, previous_seq=F("seq") - 1)
                    & ~Q(from_stage="")
                ),
                name="leads_episode_chain",
            ),
            models.CheckConstraint(
                condition=Q(left_at=None, exit_kind="")
                | (Q(left_at__isnull=False, left_at__gte=F("entered_at")) & ~Q(exit_kind="")),
                name="leads_episode_not_negative",
            ),
        ]
        indexes = [models.Index("stage", "entered_at", name="leads_episode_stage_when")]

    def __str__(self) -> str:
        return f"{self.get_stage_display()} #{self.seq}"


class Criterion(models.Model):
    """One exit criterion of a stage, editable by admins.

    `kind` names an evaluator registered with leads/criteria.py; `params` are its
    settings, e.g. {"minimum": 3}.
    """

    stage = models.CharField(_("to leave stage"), max_length=20, choices=Stage.choices)
    kind = models.CharField(_("kind"), max_length=50)
    params = models.JSONField(_("settings"), default=dict, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        ordering = ("stage", "position", "id")
        verbose_name = _("criterion")
        verbose_name_plural = _("criteria")
        constraints = [
            models.CheckConstraint(
                condition=Q(stage__in=list(FUNNEL)), name="leads_criterion_stage"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_stage_display()}: {self.kind}"
