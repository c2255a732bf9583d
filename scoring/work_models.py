"""Rows derived from events and fields, and rows that stand for work to do.

The derived ones may be thrown away and rebuilt at any time
(rescore.rebuild); verifying.py proves that a rebuild would change nothing.
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from leads.models import Lead
from scoring.version_models import DEFAULT_MODEL_ID
from users.models import User


class FieldMatch(models.Model):
    """While a fit signal held for a lead: since, until (None: it still does).

    Ended matches stay, so that the score of a past date can be explained.
    """

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="field_matches")
    signal = models.ForeignKey(
        "scoring.Signal", on_delete=models.CASCADE, db_index=False, related_name="+"
    )
    since = models.DateTimeField()
    until = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["lead", "signal"], condition=Q(until=None), name="scoring_match_once"
            ),
            models.CheckConstraint(
                condition=Q(until=None) | Q(until__gte=models.F("since")),
                name="scoring_match_forward",
            ),
        ]

    def __str__(self) -> str:
        return f"signal {self.signal_id} for lead {self.lead_id}"


class LeadFeature(models.Model):
    """A lead's hits (events that count) and matches as a vector: all that a recompute reads.

    `sums[k]` (counted from 1, as PostgreSQL does) belongs to the signal with ordinal k:
    the sum of 2^(-(anchor_at - occurred_at) / half-life) over its hits up to
    `folded_at`; without half-life their number; for fit 1 or 0. A vector that is too
    short has zeros behind it. The anchor moves with each fold to the beginning of its
    month, so no power overflows, and all leads together have only a few anchors.
    """

    lead = models.OneToOneField(Lead, on_delete=models.CASCADE, primary_key=True)
    sums = ArrayField(models.FloatField(), default=list)
    anchor_at = models.DateTimeField()
    folded_at = models.DateTimeField()
    # Which ScoringModel the lead belongs to; of interest while several are in force.
    model_id = models.SmallIntegerField(db_default=DEFAULT_MODEL_ID)
    # When time alone changes a sum: an event leaves its window, or inactivity begins.
    turns_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("lead feature")
        indexes = [
            models.Index("turns_at", name="scoring_feature_turns", condition=~Q(turns_at=None))
        ]

    def __str__(self) -> str:
        return f"features of lead {self.lead_id}"


class DirtyLead(models.Model):
    """A lead to fold again, written in the transaction that gave it a new fact.

    Several rows of one lead are fine. A unique key would lose news: "already
    queued" may be a row that a running fold is about to delete.
    """

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="+")
    # Nothing is new but events, the earliest of this instant; null: anything may be.
    since = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(db_default=0)
    queued_at = models.DateTimeField(db_default=Now())
    error = models.CharField(max_length=500, db_default="")

    class Meta:
        indexes = [models.Index("attempts", "id", name="scoring_dirty_next")]

    def __str__(self) -> str:
        return f"lead {self.lead_id} since {self.queued_at}"


class FailedLead(models.Model):
    """A lead whose scoring failed again and again; the others went on without it."""

    lead = models.OneToOneField(Lead, on_delete=models.CASCADE, primary_key=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"))
    error = models.CharField(_("error"), max_length=500)
    failed_at = models.DateTimeField(_("failed"), db_default=Now())

    class Meta:
        ordering = ("-failed_at",)
        verbose_name = _("lead that could not be scored")
        verbose_name_plural = _("leads that could not be scored")

    def __str__(self) -> str:
        return f"{self.lead_id}: {self.error}"


class Publication(models.Model):
    """The way of a draft into force: activate, score all leads, move on who is ready.

    A work row: each step commits its progress, and any worker or the relay
    takes it up where the last one stopped. `attempts` counts failures in a row.
    """

    MOST_ATTEMPTS = 5

    class Scope(models.TextChoices):
        ALL = "all", _("all leads, anew")
        NEW = "new", _("new leads only")

    version = models.ForeignKey(
        "scoring.ModelVersion", on_delete=models.CASCADE, related_name="publications"
    )
    scope = models.CharField(_("for"), max_length=3, choices=Scope.choices, default=Scope.ALL)
    # A version that was in force before comes back, with the leads that it scored.
    is_rollback = models.BooleanField(default=False)
    # Of the leads that become ready by this publication alone, how many a day go to sales.
    daily_handoffs = models.PositiveSmallIntegerField(
        _("hand-offs a day"), null=True, blank=True, validators=[MinValueValidator(1)]
    )
    # How many it held back for that.
    held_count = models.PositiveIntegerField(default=0, editable=False)
    requested_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(db_default=Now())
    activated_at = models.DateTimeField(null=True)
    recomputed_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ("-requested_at",)
        verbose_name = _("publication")
        verbose_name_plural = _("publications")
        constraints = [
            models.UniqueConstraint(
                fields=["version"],
                condition=Q(finished_at=None),
                name="scoring_publication_one_way",
            )
        ]

    def __str__(self) -> str:
        return f"publication of version {self.version_id}"

    @property
    def is_running(self) -> bool:
        return self.finished_at is None

    @property
    def is_waiting(self) -> bool:
        """Signed and asked for, but not to be in force yet."""
        return self.activated_at is None and self.version.is_due_later

    @property
    def is_stopped(self) -> bool:
        """Failed so often that nobody tries again until an admin says so."""
        return self.is_running and self.attempts >= self.MOST_ATTEMPTS


class HeldLead(models.Model):
    """A lead that a publication alone made ready: it goes to sales by and by, or when it acts."""

    lead = models.OneToOneField(
        Lead, on_delete=models.CASCADE, primary_key=True, related_name="held"
    )
    publication = models.ForeignKey(Publication, on_delete=models.CASCADE, related_name="held")

    class Meta:
        verbose_name = _("lead held back")
        verbose_name_plural = _("leads held back")

    def __str__(self) -> str:
        return f"lead {self.lead_id}"
