"""Who sends events, what was sent, and which visitor became which lead."""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from leads.channels import Channel
from leads.models import Lead
from tracking.events import TOUCHPOINTS
from tracking.source_models import (  # noqa: F401
    SENDING_SCOPES,
    Scope,
    Source,
    WriteKey,
    all_scopes,
)
from users.roles import Role

LONGEST_ID = 200  # characters of a message, visitor or user id; longer ones are hashed


class Visitor(models.Model):
    """A browser, known only by the random id it sends. The first touch is where it came from."""

    anonymous_id = models.CharField(_("anonymous id"), max_length=LONGEST_ID, unique=True)
    # The lead of the newest link; events may belong to an earlier one.
    lead = models.ForeignKey(
        Lead, null=True, on_delete=models.SET_NULL, related_name="visitors", verbose_name=_("lead")
    )
    first_seen_at = models.DateTimeField(_("first seen"))
    last_seen_at = models.DateTimeField(_("last seen"))
    channel = models.CharField(
        _("channel"), max_length=30, choices=Channel.choices, default=Channel.UNKNOWN
    )
    source = models.CharField(_("source"), max_length=100, blank=True)
    medium = models.CharField(_("medium"), max_length=100, blank=True)
    campaign = models.CharField(_("campaign"), max_length=200, blank=True)
    landing_path = models.CharField(_("landing page"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("visitor")
        verbose_name_plural = _("visitors")

    def __str__(self) -> str:
        return self.anonymous_id


class VisitorLink(models.Model):
    """From this instant on, what the visitor does belongs to this lead.

    Append-only, but for links that a false claim drew (tracking/overruling.py).
    """

    class Reason(models.TextChoices):
        FORM = "form", _("sent a form")
        IDENTIFY = "identify", _("identified by the website")
        USER_ID = "user_id", _("known user id")
        MAIL = "mail", _("came from an e-mail")

    visitor = models.ForeignKey(Visitor, on_delete=models.CASCADE, related_name="links")
    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="visitor_links")
    started_at = models.DateTimeField(_("since"))
    reason = models.CharField(_("reason"), max_length=20, choices=Reason.choices)
    # Two people seem to share this browser: worth a look.
    is_flagged = models.BooleanField(_("flagged"), default=False)
    # Whether what the visitor did before its first link belongs to that lead, too.
    reaches_back = models.BooleanField(_("with what came before"), default=True, db_default=True)
    # The event that said so.
    event_id = models.BigIntegerField()

    class Meta:
        ordering = ("visitor", "started_at", "id")
        verbose_name = _("visitor link")
        verbose_name_plural = _("visitor links")
        constraints = [
            models.UniqueConstraint(
                fields=["visitor", "event_id"], name="tracking_visitorlink_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.visitor} → {self.lead}"


class Verdict(models.IntegerChoices):
    """Who did it. What is MACHINE or beyond earns no points and enters no rate."""

    HUMAN = 0, _("human")
    SUSPECTED = 1, _("suspected machine")
    MACHINE = 2, _("machine")
    STAFF = 3, _("one of us")


class EventQuerySet(models.QuerySet["Event"]):
    def visible_to(self, user) -> Self:
        """Events of the leads that the user may see."""
        return self.filter(lead__in=Lead.objects.visible_to(user))

    def visible_to_marketing(self, user) -> Self:
        """All events, also those of visitors nobody knows; marketers and admins may see them."""
        return self if getattr(user, "role", "") in (Role.MARKETER, Role.ADMIN) else self.none()

    def human(self) -> Self:
        """What counts: humans outside of our own house, and those only suspected."""
        return self.filter(verdict__lt=Verdict.MACHINE)


class Event(models.Model):
    """One thing that somebody did. Written by the collector in SQL, see tracking/storing.py.

    Millions of narrow rows with as few indexes as the questions allow. Sources are
    never deleted, so the row saves itself the check of a foreign key.
    """

    source = models.ForeignKey(
        Source, on_delete=models.PROTECT, db_constraint=False, db_index=False, related_name="+"
    )
    message_id = models.CharField(max_length=LONGEST_ID)
    kind = models.CharField(_("kind"), max_length=100)
    name = models.CharField(_("name"), max_length=200, blank=True)
    occurred_at = models.DateTimeField(_("occurred"))
    sent_at = models.DateTimeField(_("sent"), null=True)
    received_at = models.DateTimeField(_("received"), db_default=Now())
    anonymous_id = models.CharField(max_length=LONGEST_ID, blank=True)
    user_id = models.CharField(max_length=LONGEST_ID, blank=True)
    lead = models.ForeignKey(
        Lead, null=True, on_delete=models.CASCADE, db_index=False, related_name="events"
    )
    url = models.TextField(blank=True)
    path = models.TextField(blank=True)
    referrer = models.TextField(blank=True)
    title = models.TextField(blank=True)
    user_agent = models.TextField(blank=True)
    properties = models.JSONField(default=dict)
    context = models.JSONField(default=dict)
    # Signed with a secret key.
    is_trusted = models.BooleanField(default=False)
    verdict = models.PositiveSmallIntegerField(choices=Verdict.choices, default=Verdict.HUMAN)
    # Of a page view: the time really spent on it (tracking/engagement.py); null: nobody said.
    engaged_ms = models.PositiveIntegerField(null=True)
    # Why: names of tracking.verdicts.weighing.SIGNALS, sorted, and "rule:7" where one decided.
    verdict_signals = ArrayField(models.TextField(), default=list, db_default=[])

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        constraints = [
            models.UniqueConstraint(fields=["source", "message_id"], name="tracking_event_once")
        ]
        indexes = [
            models.Index(
                "lead",
                "occurred_at",
                condition=Q(lead__isnull=False),
                name="tracking_event_of_lead",
            ),
            # Offline touchpoints, which first and last touch look for among all events.
            models.Index(
                "lead",
                "occurred_at",
                condition=Q(kind__in=sorted(TOUCHPOINTS)) & Q(lead__isnull=False),
                name="tracking_event_touchpoint",
            ),
            # What a browser did, in order: for its visits, and when it becomes known.
            models.Index(
                "anonymous_id",
                "occurred_at",
                condition=~Q(anonymous_id=""),
                name="tracking_event_of_browser",
            ),
            # What waits for its user to become known.
            models.Index(
                "user_id",
                condition=Q(lead=None) & ~Q(user_id=""),
                name="tracking_event_unknown_user",
            ),
            BrinIndex(fields=["occurred_at"], name="tracking_event_when", pages_per_range=32),
            # What gave itself away in any manner: a small part, counted by day of arrival.
            models.Index(
                "received_at",
                include=["verdict", "verdict_signals"],
                condition=Q(verdict__gt=0) | ~Q(verdict_signals=[]),
                name="tracking_event_told_apart",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.occurred_at:%Y-%m-%d %H:%M}"

    @property
    def is_machine(self) -> bool:
        """Whether it counts for nothing: a machine did it, or one of us."""
        return self.verdict >= Verdict.MACHINE


class PendingEvent(models.Model):
    """An event whose consequences are still to be drawn (tracking/attaching.py)."""

    event_id = models.BigIntegerField(primary_key=True)
    attempts = models.PositiveSmallIntegerField(db_default=0)
    # Nobody else takes it up before this instant.
    due_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"event {self.event_id}, tried {self.attempts} times"


class QuarantinedMessage(models.Model):
    """What could not be stored or attached after several attempts. Kept, shown, replayable."""

    class Step(models.TextChoices):
        STORE = "store", _("storing")
        ATTACH = "attach", _("attaching to a lead")

    source = models.ForeignKey(Source, null=True, on_delete=models.PROTECT, related_name="+")
    step = models.CharField(_("failed while"), max_length=10, choices=Step.choices)
    event_id = models.BigIntegerField(null=True)
    # The prepared row as in tracking/storing.py, or {} when the event itself is stored.
    payload = models.JSONField(default=dict)
    reason = models.TextField(_("reason"))
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=1)
    quarantined_at = models.DateTimeField(_("since"), db_default=Now(), editable=False)
    replayed_at = models.DateTimeField(_("replayed"), null=True, editable=False)

    class Meta:
        ordering = ("-quarantined_at", "-id")
        verbose_name = _("quarantined message")
        verbose_name_plural = _("quarantined messages")
        indexes = [
            models.Index(
                F("quarantined_at").desc(),
                condition=Q(replayed_at=None),
                name="tracking_quarantine_open",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_step_display()}: {self.reason[:80]}"


class IngestCount(models.Model):
    """What became of the messages that a source sent on a day of the reporting time zone.

    received = accepted + duplicate + rejected (by reason) + quarantined, to the unit.
    Written in the transaction that stores the events.
    """

    class Outcome(models.TextChoices):
        RECEIVED = "received", _("received")
        ACCEPTED = "accepted", _("accepted")
        DUPLICATE = "duplicate", _("duplicate")
        REJECTED = "rejected", _("rejected")
        QUARANTINED = "quarantined", _("quarantined")

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="counts")
    day = models.DateField(_("day"))
    outcome = models.CharField(_("outcome"), max_length=12, choices=Outcome.choices)
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    count = models.BigIntegerField(_("count"), default=0)

    class Meta:
        ordering = ("-day", "source", "outcome", "reason")
        constraints = [
            models.UniqueConstraint(
                fields=["source", "day", "outcome", "reason"], name="tracking_ingestcount_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.source} {self.outcome} {self.reason} {self.count}"


from tracking.alias_models import Alias  # noqa: E402, F401
from tracking.channel_models import ChannelRule, ChannelRuleset  # noqa: E402, F401
from tracking.engagement_models import AwaitedPage  # noqa: E402, F401
from tracking.group_models import Group, GroupMember  # noqa: E402, F401
from tracking.intake_models import InspectedMessage, TurnedAway  # noqa: E402, F401
from tracking.merging_models import MergedEvents  # noqa: E402, F401
from tracking.retention_models import (  # noqa: E402, F401
    JobRun,
    PurgeCount,
    PurgedMessage,
    PurgeMark,
    RetentionRule,
    RetentionSettings,
    RetentionSweep,
)
from tracking.verdict_models import (  # noqa: E402, F401
    BeaconHost,
    CloudNetwork,
    StaffBrowser,
    VerdictChange,
    VerdictCheck,
    VerdictRule,
    VerdictRun,
    VerdictSignal,
)
from tracking.visit_models import StaleVisits, Visit  # noqa: E402, F401
