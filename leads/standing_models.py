"""Columns of what changes often beside the wide row of a lead: its standing, its last activity.

They are apart from each other, too: a recompute replaces all standings at once, and what
a score does not change it need not copy.
"""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Value
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from leads.models import NEVER, Account, Lead
from leads.points import PointsField


class Standing(models.Model):
    """How promising a lead is right now: narrow, because it changes for all leads at once.

    Written only through leads/standing.py. Points are true as of `scored_at`.
    """

    class Quadrant(models.TextChoices):
        BOTH = "both", _("Fit and interest")
        FIT = "fit", _("Fit only")
        INTEREST = "interest", _("Interest only")
        NEITHER = "neither", _("Neither")

    lead = models.OneToOneField(Lead, on_delete=models.CASCADE, primary_key=True)
    score = PointsField(_("score"), default=0)
    fit = PointsField(_("fit"), default=0)
    interest = PointsField(_("interest"), default=0)
    quadrant = models.CharField(
        _("quadrant"), max_length=10, choices=Quadrant.choices, default=Quadrant.NEITHER
    )
    # At or above the threshold, in the right quadrant, nothing blocking.
    is_promising = models.BooleanField(default=False)
    model_version = models.PositiveIntegerField(null=True)
    scored_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(F("score").desc(), "lead", name="leads_standing_score")]

    def __str__(self) -> str:
        return f"{self.score} ({self.get_quadrant_display()})"


class LastActivity(models.Model):
    """When a lead last did something, as far as it counts. Written through leads/activity.py.

    Every lead has a row, so that lists can walk its index; `at` is NULL where there was nothing.
    """

    lead = models.OneToOneField(
        Lead, on_delete=models.CASCADE, primary_key=True, related_name="last_activity"
    )
    at = models.DateTimeField(_("last activity"), null=True)

    class Meta:
        indexes = [
            models.Index(Coalesce("at", Value(NEVER)).desc(), "lead", name="leads_lastactivity_at")
        ]

    def __str__(self) -> str:
        return f"lead {self.lead_id} at {self.at}"


# How lists order accounts by score: whose score nobody knows comes last.
NO_SCORE = Value(Decimal(-1_000_000), output_field=PointsField())


class AccountStanding(models.Model):
    """How promising a company is: its best person, how broad the interest is, how recent.

    Every account has a row (PostgreSQL writes it with the account), so that lists can walk
    its index; `score` is NULL while nobody there has been scored. `score` is the sum of the
    four parts. Written only through leads/account_standing.py; derived, may be computed anew.
    """

    account = models.OneToOneField(
        Account, on_delete=models.CASCADE, primary_key=True, related_name="standing"
    )
    score = PointsField(_("score"), null=True)
    best = PointsField(default=0)
    people = PointsField(default=0)
    roles = PointsField(default=0)
    recency = PointsField(default=0)
    best_lead = models.ForeignKey(
        Lead, null=True, on_delete=models.SET_NULL, db_index=False, related_name="+"
    )
    person_count = models.PositiveIntegerField(default=0)
    engaged_count = models.PositiveIntegerField(default=0)
    role_count = models.PositiveIntegerField(default=0)
    last_activity_at = models.DateTimeField(null=True)
    scored_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(
                Coalesce("score", NO_SCORE).desc(), "account", name="leads_accountstanding_score"
            )
        ]

    def __str__(self) -> str:
        return f"{self.score} of account {self.account_id}"


class StaleAccount(models.Model):
    """Work row: something that the standing of this account follows from has changed.

    Several rows of one account are fine, as with leads to score.
    """

    account = models.ForeignKey(Account, on_delete=models.CASCADE, db_index=False, related_name="+")

    def __str__(self) -> str:
        return f"account {self.account_id}"
