"""Rows behind the verdicts: thresholds, lists, rules of people, work and history."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tracking.verdicts.weighing import SIGNALS
from users.models import User


class VerdictSignal(models.Model):
    """What a signal does, and its thresholds. Rows that admins edit; the code names the signals."""

    class Effect(models.TextChoices):
        MACHINE = "machine", _("machine")
        SUSPECTED = "suspected", _("suspected machine")
        WEAK = "weak", _("weak: two of them make suspected")
        STAFF = "staff", _("one of us")
        OFF = "off", _("says nothing")

    name = models.SlugField(_("signal"), max_length=40, unique=True, editable=False)
    effect = models.CharField(_("means"), max_length=10, choices=Effect.choices)
    most = models.PositiveIntegerField(_("how many"), null=True, blank=True)
    seconds = models.PositiveIntegerField(_("seconds"), null=True, blank=True)

    class Meta:
        ordering = ("id",)
        verbose_name = _("signal of machines")
        verbose_name_plural = _("signals of machines")

    def __str__(self) -> str:
        return str(self.label)

    @property
    def label(self) -> Promise | str:
        return SIGNALS[self.name].label

    @property
    def sentence(self) -> Promise | str:
        return SIGNALS[self.name].sentence


class CloudNetwork(models.Model):
    """A network of a well-known cloud provider: weak evidence of a program."""

    network = models.CharField(_("network"), max_length=43, unique=True)
    name = models.CharField(_("provider"), max_length=100)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ("name", "network")
        verbose_name = _("cloud network")
        verbose_name_plural = _("cloud networks")

    def __str__(self) -> str:
        return f"{self.name} {self.network}"


class VerdictRule(models.Model):
    """A person overrules the signals: what meets all conditions is this, for this reason.

    Conditions and effect never change: a rule is taken back and another one made, so that
    the history of an event names what was in force. Of several the newest decides.
    """

    class Effect(models.TextChoices):
        HUMAN = "human", _("human")
        MACHINE = "machine", _("machine")
        STAFF = "staff", _("one of us")

    effect = models.CharField(_("verdict"), max_length=10, choices=Effect.choices)
    reason = models.CharField(_("reason"), max_length=300)
    # Conditions; an empty one is met by everything.
    user_agent = models.CharField(_("user agent contains"), max_length=200, blank=True)
    network = models.CharField(_("network"), max_length=43, blank=True)
    email_domain = models.CharField(_("e-mail domain"), max_length=200, blank=True)
    path = models.CharField(_("path begins with"), max_length=300, blank=True)
    event_kind = models.CharField(_("kind of event"), max_length=100, blank=True)
    visitor = models.CharField(_("visitor"), max_length=200, blank=True)
    source = models.ForeignKey(
        "tracking.Source",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("source"),
    )
    made_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    made_by_label = models.CharField(max_length=200)
    made_at = models.DateTimeField(_("since"), db_default=Now(), editable=False)
    ended_by_label = models.CharField(max_length=200, blank=True)
    ended_at = models.DateTimeField(_("taken back"), null=True, editable=False)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("verdict rule")
        verbose_name_plural = _("verdict rules")
        constraints = [
            models.CheckConstraint(
                condition=~Q(
                    user_agent="",
                    network="",
                    email_domain="",
                    path="",
                    event_kind="",
                    visitor="",
                    source=None,
                ),
                name="tracking_verdictrule_has_condition",
            )
        ]

    def __str__(self) -> str:
        return self.reason


class StaffBrowser(models.Model):
    """A browser in which somebody named an e-mail address that a rule says is ours."""

    anonymous_id = models.CharField(max_length=200, unique=True)
    rule = models.ForeignKey(VerdictRule, on_delete=models.CASCADE, related_name="browsers")
    noted_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return self.anonymous_id


class BeaconHost(models.Model):
    """A website whose pages report that they were viewed. `last_seen_at` is true to the hour."""

    host = models.CharField(max_length=255, primary_key=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.host


class VerdictCheck(models.Model):
    """Work: did a browser report the page behind this click in a mail? Not before `due_at`."""

    event_id = models.BigIntegerField(primary_key=True)
    due_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(db_default=0)
    error = models.TextField(blank=True, db_default="")

    class Meta:
        indexes = [models.Index(fields=["due_at"], name="tracking_verdictcheck_due")]

    def __str__(self) -> str:
        return f"event {self.event_id}"


class VerdictRun(models.Model):
    """Going through all stored events after a rule was made or taken back. Resumable.

    `reached` is the id of the last event that was looked at; `upto` the last there is to look at,
    known once it began. Whatever arrived later was judged by the rule already.
    """

    rule = models.ForeignKey(VerdictRule, null=True, on_delete=models.PROTECT, related_name="runs")
    # What for, when no rule is meant: the name of a signal whose effect was edited, or a list.
    cause = models.CharField(max_length=100, blank=True)
    reached = models.BigIntegerField(default=0)
    upto = models.BigIntegerField(null=True)
    changed_count = models.BigIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.TextField(blank=True)
    asked_at = models.DateTimeField(db_default=Now(), editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ("id",)
        indexes = [
            models.Index(
                fields=["id"], condition=Q(finished_at=None), name="tracking_verdictrun_open"
            )
        ]

    def __str__(self) -> str:
        return f"{self.rule or self.cause}: {self.reached} of {self.upto}"

    @property
    def percent(self) -> int:
        return min(100, 100 * self.reached // self.upto) if self.upto else 0


class VerdictChange(models.Model):
    """A verdict or its signals changed after the event had been drawn. Append-only."""

    event_id = models.BigIntegerField()
    changed_at = models.DateTimeField(db_default=Now())
    verdict_before = models.PositiveSmallIntegerField()
    verdict = models.PositiveSmallIntegerField()
    signals_before = ArrayField(models.TextField())
    signals = ArrayField(models.TextField())
    # The rule that was made or taken back, or the name of the check that found something.
    rule = models.ForeignKey(
        VerdictRule, null=True, db_index=False, on_delete=models.PROTECT, related_name="+"
    )
    cause = models.CharField(max_length=100, blank=True)
    # The event waited to be attached, so nothing had followed from `verdict_before` yet.
    was_waiting = models.BooleanField(db_default=False)

    class Meta:
        ordering = ("id",)
        indexes = [models.Index(F("event_id"), F("id"), name="tracking_verdictchange_event")]

    def __str__(self) -> str:
        return f"event {self.event_id}: {self.verdict_before} → {self.verdict}"
