"""Visits, rolled up from events, and the work that keeps them current."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from leads.channels import Channel
from leads.models import Lead
from tracking.channel_models import ChannelRule
from users.roles import Role


class VisitQuerySet(models.QuerySet["Visit"]):
    def visible_to(self, user) -> Self:
        """Marketers and admins see all visits; others those of the leads that they see."""
        if user.is_authenticated and user.is_active and user.role in (Role.MARKETER, Role.ADMIN):
            return self
        return self.filter(lead__in=Lead.objects.visible_to(user))

    def human(self) -> Self:
        return self.filter(is_machine=False)


class Visit(models.Model):
    """What one browser did without a break of more than 30 minutes and without coming back
    through another campaign. Derived from events by tracking/visiting.py, rebuildable.

    What a machine did under the same anonymous id is a visit of its own, so machines never change
    a human visit. `pages` is {path: [views, engaged milliseconds, seconds after the start]}.
    """

    anonymous_id = models.CharField(max_length=200)
    is_machine = models.BooleanField(_("machine"), default=False)
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("last seen"))
    # Whom the last event that belongs to somebody belongs to.
    lead = models.ForeignKey(
        Lead, null=True, on_delete=models.SET_NULL, related_name="visits", db_index=False
    )
    event_count = models.PositiveIntegerField()
    page_views = models.PositiveIntegerField(_("page views"))
    engaged_ms = models.BigIntegerField(default=0)
    pages = models.JSONField(default=dict)

    # What it was classified by (tracking.channels.Arrival); the UTM values are those below.
    has_utm = models.BooleanField(default=False)
    click_id = models.CharField(max_length=20, blank=True)
    referrer = models.CharField(_("referring domain"), max_length=100, blank=True)
    landing_path = models.CharField(_("landing page"), max_length=500, blank=True)
    # What came out.
    channel = models.CharField(_("channel"), max_length=30, choices=Channel.choices)
    source = models.CharField(_("source"), max_length=100, blank=True)
    medium = models.CharField(_("medium"), max_length=100, blank=True)
    campaign = models.CharField(_("campaign"), max_length=200, blank=True)
    # The rule that decided; it may be gone since.
    rule = models.ForeignKey(
        ChannelRule,
        null=True,
        on_delete=models.DO_NOTHING,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )

    objects = VisitQuerySet.as_manager()

    class Meta:
        verbose_name = _("visit")
        verbose_name_plural = _("visits")
        indexes = [
            models.Index("anonymous_id", "is_machine", "started_at", name="tracking_visit_of"),
            models.Index("started_at", name="tracking_visit_started"),
            models.Index(
                "lead",
                F("started_at").desc(),
                condition=Q(lead__isnull=False),
                name="tracking_visit_of_lead",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.anonymous_id} {self.started_at:%Y-%m-%d %H:%M}"


class StaleVisits(models.Model):
    """Work: something changed about the events of this browser, or of this lead, from `since` on.

    One row per change, because a row that another transaction works off would not cover ours.
    """

    anonymous_id = models.CharField(max_length=200, blank=True)
    lead_id = models.BigIntegerField(null=True)
    since = models.DateTimeField()
    queued_at = models.DateTimeField(db_default=Now())
    attempt_count = models.PositiveSmallIntegerField(db_default=0)

    class Meta:
        indexes = [
            models.Index("attempt_count", "id", name="tracking_stalevisits_next"),
            models.Index("anonymous_id", "lead_id", name="tracking_stalevisits_of"),
        ]

    def __str__(self) -> str:
        return f"{self.anonymous_id or self.lead_id} since {self.since}"
