"""What came to our door: messages to look at, and requests that were turned away."""

from __future__ import annotations

from django.db import models
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tracking.models import IngestCount, QuarantinedMessage, Source, WriteKey


class InspectedMessage(models.Model):
    """One of the last messages of a source, for the debugger. A sample; kept for a day or so.

    Written in the transaction that stores or counts the message. What was stored stands in
    the event, so only a refused message has a payload: cleaned, without key and IP address.
    """

    source = models.ForeignKey(
        Source, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    key = models.ForeignKey(
        WriteKey,
        null=True,
        on_delete=models.PROTECT,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    at = models.DateTimeField(_("when"), db_default=Now())
    outcome = models.CharField(_("outcome"), max_length=12, choices=IngestCount.Outcome.choices)
    reason = models.CharField(_("reason"), max_length=40, blank=True, db_default="")
    call = models.CharField(_("call"), max_length=10, blank=True, db_default="")
    message_id = models.TextField(blank=True, db_default="")
    payload = models.JSONField(null=True)
    # Of a quarantined message.
    quarantined = models.ForeignKey(
        QuarantinedMessage, null=True, on_delete=models.CASCADE, db_index=False, related_name="+"
    )
    # Somebody mended the payload and it was stored.
    mended_at = models.DateTimeField(_("mended"), null=True)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        indexes = [
            models.Index("source", "outcome", F("id").desc(), name="tracking_inspected_newest")
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.reason} {self.message_id}".strip()


class TurnedAway(models.Model):
    """Requests of a day that were refused before a message was received: not part of
    "received", because whoever sent them is told to come again, or is nobody."""

    class Reason(models.TextChoices):
        NO_KEY = "no_key", _("no write key")
        UNKNOWN_KEY = "unknown_key", _("unknown or revoked key")
        RATE_LIMITED = "rate_limited", _("more than the key's rate limit")
        OVERLOADED = "overloaded", _("too much was waiting to be stored")
        UNAVAILABLE = "unavailable", _("the database did not answer")

    # Null: nobody knows whose it was.
    source = models.ForeignKey(
        Source, null=True, on_delete=models.PROTECT, db_constraint=False, related_name="+"
    )
    day = models.DateField(_("day"))
    reason = models.CharField(_("reason"), max_length=20, choices=Reason.choices)
    count = models.BigIntegerField(_("requests"), default=0)

    class Meta:
        ordering = ("-day", "source", "reason")
        constraints = [
            models.UniqueConstraint(
                fields=["source", "day", "reason"],
                nulls_distinct=False,
                name="tracking_turnedaway_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.reason} {self.count}"
