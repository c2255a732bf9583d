"""How long what is kept, what was purged, and which scheduled jobs have run."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tracking.models import Source


class RetentionRule(models.TextChoices):
    """What may be purged. Events that belong to a lead never are."""

    MACHINE = "machine", _("machines")
    ANONYMOUS = "anonymous", _("visitors nobody knows")


class RetentionSettings(models.Model):
    """The one row that says how many days what is kept. Admins edit it."""

    anonymous_days = models.PositiveIntegerField(default=395, db_default=395)
    machine_days = models.PositiveIntegerField(default=90, db_default=90)
    inspected_days = models.PositiveIntegerField(default=1, db_default=1)
    edited_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="tracking_retention_one_row"),
            models.CheckConstraint(
                condition=Q(anonymous_days__gte=30, machine_days__gte=7, inspected_days__gte=1),
                name="tracking_retention_long_enough",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.anonymous_days}/{self.machine_days}/{self.inspected_days} days"

    @classmethod
    def current(cls) -> Self:
        """The row; as the defaults say, when there is none yet."""
        return cls.objects.filter(pk=1).first() or cls(pk=1)

    def days_of(self, rule: str) -> int:
        return self.machine_days if rule == RetentionRule.MACHINE else self.anonymous_days


class RetentionSweep(models.Model):
    """How far a rule has looked through the events. Ids and arrival go the same way, so
    each event is looked at once; from the beginning again every month and after an edit."""

    rule = models.CharField(primary_key=True, max_length=10, choices=RetentionRule.choices)
    next_event_id = models.BigIntegerField(default=0)
    began_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.rule} from event {self.next_event_id}"


class PurgeMark(models.Model):
    """An event that goes a minute after its message id was noted (tracking/retention.py)."""

    event_id = models.BigIntegerField(primary_key=True)
    digest = models.UUIDField()
    rule = models.CharField(max_length=10, choices=RetentionRule.choices)
    marked_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"event {self.event_id}"


class PurgedMessage(models.Model):
    """The message of a purged event: a digest of source and message id, so that the same
    message can never count again. As narrow as a row can be, for there will be many."""

    digest = models.UUIDField(primary_key=True)

    def __str__(self) -> str:
        return str(self.digest)


class PurgeCount(models.Model):
    """How many events of a source were purged on a day of the reporting time zone.

    accepted = stored + purged, to the unit. Written in the transaction that deletes.
    """

    source = models.ForeignKey(
        Source, on_delete=models.PROTECT, db_constraint=False, related_name="+"
    )
    day = models.DateField(_("day"))
    rule = models.CharField(_("rule"), max_length=10, choices=RetentionRule.choices)
    count = models.BigIntegerField(_("events"), default=0)

    class Meta:
        ordering = ("-day", "source", "rule")
        constraints = [
            models.UniqueConstraint(
                fields=["source", "day", "rule"], name="tracking_purgecount_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.source} {self.rule} {self.count}"


class JobRun(models.Model):
    """A scheduled job took its slot: whoever inserts the row runs it (tracking/jobs.py)."""

    job = models.CharField(_("job"), max_length=40)
    slot = models.DateTimeField(_("due"))
    started_at = models.DateTimeField(_("started"), db_default=Now())
    # Until then nobody else takes an unfinished run over.
    lease_until = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(db_default=1)
    done = models.BigIntegerField(_("rows"), db_default=0)
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        ordering = ("-slot",)
        constraints = [models.UniqueConstraint(fields=["job", "slot"], name="tracking_jobrun_once")]
        indexes = [models.Index("job", condition=Q(finished_at=None), name="tracking_jobrun_open")]

    def __str__(self) -> str:
        return f"{self.job} {self.slot:%Y-%m-%d %H:%M}"
