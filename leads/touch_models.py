"""How a lead first came to us, and what brought it back last."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from leads.channels import Channel
from leads.models import Lead


class LeadTouch(models.Model):
    """First and last touch of a lead, derived from its visits and offline touchpoints.

    The last touch is the newest one that was not direct; only if all were direct, it is the newest.
    A lead without a row was never touched, as far as anybody knows (an imported list, say).
    """

    lead = models.OneToOneField(
        Lead, on_delete=models.CASCADE, primary_key=True, related_name="touch"
    )
    first_at = models.DateTimeField(_("first touch"))
    first_channel = models.CharField(_("channel"), max_length=30, choices=Channel.choices)
    first_source = models.CharField(_("source"), max_length=100, blank=True)
    first_medium = models.CharField(_("medium"), max_length=100, blank=True)
    first_campaign = models.CharField(_("campaign"), max_length=200, blank=True)
    first_landing_path = models.CharField(_("landing page"), max_length=500, blank=True)
    last_at = models.DateTimeField(_("last touch"))
    last_channel = models.CharField(_("channel"), max_length=30, choices=Channel.choices)
    last_source = models.CharField(_("source"), max_length=100, blank=True)
    last_medium = models.CharField(_("medium"), max_length=100, blank=True)
    last_campaign = models.CharField(_("campaign"), max_length=200, blank=True)
    last_landing_path = models.CharField(_("landing page"), max_length=500, blank=True)

    class Meta:
        indexes = [
            models.Index("first_channel", "lead", name="leads_touch_first"),
            models.Index("last_channel", "lead", name="leads_touch_last"),
        ]

    def __str__(self) -> str:
        return f"{self.first_channel} → {self.last_channel}"
