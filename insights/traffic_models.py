"""Roll-ups of visits by day: derived from tracking's visits and from stays, rebuildable.

insights/traffic/folding.py keeps them current, docs/metrics.md says what is counted. Days are days
of the reporting time zone. `is_machine` tells apart what machines did; raw is both together.
"""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now


class TrafficCell(models.Model):
    """Visits of one day that came the same way.

    `new_visitors` are those whose first visit it was; `became_leads` of them were
    known as a lead within insights.traffic.folding.LEAD_WINDOW days.
    """

    pk = models.CompositePrimaryKey("day", "is_machine", "channel", "source", "campaign")
    day = models.DateField()
    is_machine = models.BooleanField()
    channel = models.CharField(max_length=30)
    source = models.CharField(max_length=100)
    campaign = models.CharField(max_length=200)
    visits = models.IntegerField()
    page_views = models.IntegerField()
    engaged_ms = models.BigIntegerField()
    new_visitors = models.IntegerField()
    became_leads = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.channel} {self.source}: {self.visits}"


class ReturnCell(models.Model):
    """Visits of one day by the day of the same visitor's visit before.

    So visitors of any period are a sum: each counts with the one visit whose predecessor lies
    before the period.

    `channel` is "" for all visits; else only visits through it are looked at. `previous_on` is
    0001-01-01 where there was none.
    """

    pk = models.CompositePrimaryKey("day", "is_machine", "channel", "previous_on")
    day = models.DateField()
    is_machine = models.BooleanField()
    channel = models.CharField(max_length=30, blank=True)
    previous_on = models.DateField()
    visits = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.day} after {self.previous_on}: {self.visits}"


class PageCell(models.Model):
    """Visits of one day that saw a page; `channel` is "" for all visits."""

    pk = models.CompositePrimaryKey("day", "is_machine", "channel", "path")
    day = models.DateField()
    is_machine = models.BooleanField()
    channel = models.CharField(max_length=30, blank=True)
    path = models.CharField(max_length=500)
    visits = models.IntegerField()
    views = models.IntegerField()
    engaged_ms = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.path}: {self.visits}"


class GoalCell(models.Model):
    """Leads that reached a stage for the first time on this day, by their origin."""

    pk = models.CompositePrimaryKey("day", "stage", "channel", "source", "campaign")
    day = models.DateField()
    stage = models.CharField(max_length=20)
    channel = models.CharField(max_length=30)
    source = models.CharField(max_length=100, blank=True)
    campaign = models.CharField(max_length=200, blank=True)
    leads = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.stage} {self.channel}: {self.leads}"


class PageGoalCell(models.Model):
    """Leads that reached a stage for the first time on this day and had seen the page before;
    `channel` is that of the lead's origin, "" for all."""

    pk = models.CompositePrimaryKey("day", "stage", "channel", "path")
    day = models.DateField()
    stage = models.CharField(max_length=20)
    channel = models.CharField(max_length=30, blank=True)
    path = models.CharField(max_length=500)
    leads = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.day} {self.stage} {self.path}: {self.leads}"


class StaleTraffic(models.Model):
    """Work: something changed that counts on the day of this instant. Written by triggers."""

    at = models.DateTimeField()
    queued_at = models.DateTimeField(db_default=Now())
    attempt_count = models.PositiveSmallIntegerField(db_default=0)

    class Meta:
        indexes = [models.Index("attempt_count", "id", name="insights_staletraffic_next")]

    def __str__(self) -> str:
        return f"{self.at}"


class TrafficRollup(models.Model):
    """One row: the layout that the cells were built with."""

    layout = models.CharField(max_length=200)
    rebuilt_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.layout
