"""The rules that say which channel a visit came through, as rows that marketers edit."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from leads.channels import Channel


class Subject(models.TextChoices):
    """What a condition looks at."""

    UTM_MEDIUM = "utm_medium", _("UTM medium")
    UTM_SOURCE = "utm_source", _("UTM source")
    UTM_CAMPAIGN = "utm_campaign", _("UTM campaign")
    UTM = "utm", _("Any UTM value")
    CLICK_ID = "click_id", _("Click id")
    REFERRER = "referrer", _("Referring domain")
    LANDING_PATH = "landing_path", _("Landing page")


class Operator(models.TextChoices):
    """How it is compared with the values. Capitals never matter; - and _ count as a blank."""

    PRESENT = "present", _("is there")
    IS = "is", _("is one of")
    DOMAIN = "domain", _("is the site or name")
    CONTAINS = "contains", _("contains")
    BEGINS = "begins", _("begins with")


class ChannelRule(models.Model):
    """If one or two conditions hold, the visit came through this channel. The first rule decides.

    `source` and `medium` name them where the link itself does not. Written through
    tracking/channel_rules.py.
    """

    position = models.PositiveIntegerField(_("position"), db_index=True)
    subject = models.CharField(_("looks at"), max_length=20, choices=Subject.choices)
    operator = models.CharField(_("which"), max_length=10, choices=Operator.choices)
    values = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    also_subject = models.CharField(
        _("and at"), max_length=20, choices=Subject.choices, blank=True, default=""
    )
    also_operator = models.CharField(
        _("which"), max_length=10, choices=Operator.choices, blank=True, default=""
    )
    also_values = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    channel = models.CharField(_("channel"), max_length=30, choices=Channel.choices)
    source = models.CharField(_("source"), max_length=100, blank=True, default="")
    medium = models.CharField(_("medium"), max_length=100, blank=True, default="")
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ("position", "id")
        verbose_name = _("channel rule")
        verbose_name_plural = _("channel rules")

    def __str__(self) -> str:
        return f"{self.position}. {self.get_subject_display()} → {self.get_channel_display()}"


class ChannelRuleset(models.Model):
    """One row: which state the rules are in, and how far stored visits were classified by it.

    Whoever classifies for storing holds it FOR SHARE, so no visit is stored by rules older
    than the ones that re-classification starts with.
    """

    revision = models.PositiveIntegerField(default=1)
    changed_at = models.DateTimeField(db_default=Now())
    # Visits up to this id are classified by the newest rules; null when all are.
    reclassified_up_to = models.BigIntegerField(null=True)
    # How many visits had another channel afterwards, since the rules last changed.
    restated_count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(pk=1), name="tracking_channelruleset_once")
        ]

    def __str__(self) -> str:
        return f"revision {self.revision}"
