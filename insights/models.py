"""Roll-ups: derived from leads, rebuildable from them, never a source of truth.

`Stay` repeats each episode with what figures need, `Cell` counts stays that are
alike. insights/folding.py keeps both current, docs/metrics.md says what is
counted, and insights/verifying.py proves that nothing drifted.
"""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import Case, F, OrderBy, Value, When
from django.db.models.functions import Now

from leads.models import NEVER, Lead
from leads.stages import EntryKind, Stage

# How lists order stays: those that began nobody knows when as the oldest.
BEGAN_AT = Case(When(entered_on=None, then=Value(NEVER)), default=F("entered_at"))


class Stay(models.Model):
    """One episode of a lead that was not merged away, as the figures see it.

    Days are days of the reporting time zone; null where nobody knows when. `elapsed` and
    `reached_elapsed` are codes of insights/rules.py: hours at first, days later, -1 while
    still open, -2 where an end is unknown.
    """

    pk = models.CompositePrimaryKey("lead", "seq")
    # No constraint: erasing a lead must not remove a stay behind the back of its cells.
    lead = models.ForeignKey(
        Lead, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    seq = models.PositiveIntegerField()
    cycle = models.PositiveSmallIntegerField()
    stage = models.CharField(max_length=20, choices=Stage.choices)
    # A bound, not a fact, when `entered_on` is null: read `began_at`.
    entered_at = models.DateTimeField()
    entered_on = models.DateField(null=True)
    # Null while open, too.
    left_at = models.DateTimeField(null=True)
    # How the stay ended; empty while it is open.
    exit_kind = models.CharField(max_length=20, choices=EntryKind.choices, blank=True)
    elapsed = models.SmallIntegerField()
    # Both ends are known instants, so the stay may enter a time-in-stage figure.
    is_timed = models.BooleanField()
    # The day the lead became known, and the time from then to its first stay in
    # this stage; the latter is null for later stays in the same stage.
    captured_on = models.DateField(null=True)
    reached_elapsed = models.SmallIntegerField(null=True)
    # Where the day is unknown, `reached_elapsed` is the latest and this the earliest it can be.
    reached_after = models.SmallIntegerField(null=True)
    # What the funnel can be segmented by, copied from the lead.
    channel = models.CharField(max_length=30)
    source = models.CharField(max_length=100)
    country = models.CharField(max_length=2)
    owner_id = models.BigIntegerField(null=True)
    # Whose figures it is in besides the owner's team's.
    team_id = models.BigIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index("entered_on", name="insights_stay_entered"),
            models.Index("captured_on", name="insights_stay_captured"),
            models.Index("channel", "country", name="insights_stay_segment"),
            models.Index(
                "stage",
                OrderBy(BEGAN_AT, descending=True),
                F("lead").desc(),
                F("seq").desc(),
                name="insights_stay_newest",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.lead_id}#{self.seq} {self.stage}"

    @property
    def began_at(self) -> datetime | None:
        """When the stay began; None when nobody knows."""
        return self.entered_at if self.entered_on else None


class Cell(models.Model):
    """How many stays of one slice are alike, as far as one measure looks (reports/cells.sql).

    `slice` is "all", "<dimension>:<value>" (one dimension of the segment), or
    "team:<team>:<owner>", for managers.
    """

    class Measure(models.TextChoices):
        STEP = "step"
        TIME = "time"
        REACH = "reach"

    pk = models.CompositePrimaryKey("slice", "measure", "began_on", "stage", "exit_kind", "elapsed")
    slice = models.CharField(max_length=120)
    measure = models.CharField(max_length=5, choices=Measure.choices)
    began_on = models.DateField()
    stage = models.CharField(max_length=20)
    exit_kind = models.CharField(max_length=20, blank=True)
    elapsed = models.SmallIntegerField()
    stay_count = models.IntegerField()

    class Meta:
        indexes = [
            models.Index("slice", condition=models.Q(stay_count=0), name="insights_cell_empty"),
            models.Index(
                "slice",
                "stage",
                include=["stay_count"],
                condition=models.Q(measure="step", elapsed=-1),
                name="insights_cell_open",
            ),
            models.Index(
                "slice",
                include=["stay_count"],
                condition=models.Q(measure="reach", stage="lead"),
                name="insights_cell_captured",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.slice} {self.measure} {self.began_on} {self.stage}: {self.stay_count}"


class StaleLead(models.Model):
    """Work: this lead changed and is to be folded in. Written by triggers (migration 0002),
    in the transaction of the change; one row per change, because a row that another
    transaction is already working off would not cover ours."""

    lead_id = models.BigIntegerField()
    queued_at = models.DateTimeField(db_default=Now())
    attempt_count = models.PositiveSmallIntegerField(db_default=0)

    class Meta:
        indexes = [models.Index("attempt_count", "id", name="insights_stale_next")]

    def __str__(self) -> str:
        return f"{self.lead_id}, tried {self.attempt_count} times"


class Rollup(models.Model):
    """One row: the layout that the roll-ups were built with, and what is counted now and then."""

    # Time zone and windows: whatever would make other stays or cells.
    layout = models.CharField(max_length=200)
    rebuilt_at = models.DateTimeField()
    # Visitors without a lead: too many to count for every page.
    visitor_count = models.IntegerField(null=True)
    visitors_counted_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.layout}, {self.rebuilt_at}"


from insights.review_models import Review  # noqa: E402, F401
from insights.traffic_models import (  # noqa: E402, F401
    GoalCell,
    PageCell,
    PageGoalCell,
    ReturnCell,
    StaleTraffic,
    TrafficCell,
    TrafficRollup,
)
