"""Columns, constraints and adjectives of the system of record: accounts and people.

The lifecycle's tables are in leads/lifecycle_models.py, what else is known about a
lead in leads/evidence_models.py, its score and last activity in leads/standing_models.py, merges
in leads/merging_models.py; all are imported at the end, for Django to find.
"""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Self

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import Case, Exists, F, Func, OrderBy, OuterRef, Q, Value, When
from django.db.models.functions import Coalesce, Lower, Now, NullIf
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from leads.channels import Channel
from leads.countries import Countries
from leads.searching import in_words, without_marks
from leads.stages import FUNNEL, Stage
from users.models import Team, User
from users.roles import Role

# How lists order people: by last name, those without one by their address.
BY_NAME = Lower(Coalesce(NullIf("last_name", Value("")), "email", output_field=models.CharField()))
# Stands for "never" where an instant must be comparable.
NEVER: datetime = datetime(1970, 1, 1, tzinfo=UTC)
# How lists order leads by how long they have been in their stage: unknown is longest ago.
STAGE_SINCE = Case(
    When(is_stage_date_unknown=True, then=Value(NEVER)), default=F("stage_entered_at")
)


class IsAnyOf(Func):
    """`a = ANY(array)`: unlike IN (SELECT …), an index can answer it beside an OR."""

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = models.BooleanField()


class AccountQuerySet(models.QuerySet["Account"]):
    def visible_to(self, user) -> Self:
        """Marketers and admins see all; sales the accounts of leads that they see."""
        if user.is_authenticated and user.is_active and user.role in (Role.MARKETER, Role.ADMIN):
            return self
        own = Lead.objects.visible_to(user).filter(account=OuterRef("pk"))
        return self.filter(Exists(own))


class Account(models.Model):
    """A customer company, or one that may become a customer."""

    name = models.CharField(_("name"), max_length=200)
    domain = models.CharField(_("domain"), max_length=253, blank=True)
    industry = models.CharField(_("industry"), max_length=100, blank=True)
    country = CountryField(_("country"), countries=Countries, blank=True)
    employee_count = models.PositiveIntegerField(_("employees"), null=True, blank=True)
    revenue_amount = models.DecimalField(
        _("yearly revenue"), max_digits=16, decimal_places=2, null=True, blank=True
    )
    revenue_currency = models.CharField(_("currency"), max_length=3, blank=True)
    custom = models.JSONField(_("custom fields"), default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects = AccountQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        verbose_name = _("account")
        verbose_name_plural = _("accounts")
        constraints = [
            models.UniqueConstraint(
                Lower("domain"), condition=~Q(domain=""), name="leads_account_domain_once"
            ),
        ]
        indexes = [models.Index(Lower("name"), name="leads_account_name")]

    def __str__(self) -> str:
        return self.name


class LeadQuerySet(models.QuerySet["Lead"]):
    def visible_to(self, user) -> Self:
        """Marketers and admins see all; a manager the team's; a rep own leads and the
        team's unassigned ones that are with sales; nobody else anything."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.role in (Role.MARKETER, Role.ADMIN):
            return self
        if user.role == Role.MANAGER and user.team_id:
            members = User.objects.filter(team=user.team_id).order_by().values("pk")
            return self.filter(
                Q(team=user.team_id) | Q(IsAnyOf(F("owner_id"), ArraySubquery(members)))
            )
        if user.role == Role.REP:
            mine = Q(owner=user.pk)
            if user.team_id:
                mine |= Q(owner=None, team=user.team_id, stage=Stage.MQL)
            return self.filter(mine)
        return self.none()

    def open(self) -> Self:
        """Leads that are in one of the six stages."""
        return self.filter(stage__in=FUNNEL)


class Lead(models.Model):
    """A known person. Anonymous visitors live in tracking, apart from leads."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField(_("e-mail"), blank=True)
    is_email_verified = models.BooleanField(_("e-mail verified"), default=False)
    first_name = models.CharField(_("first name"), max_length=100, blank=True)
    last_name = models.CharField(_("last name"), max_length=100, blank=True)
    title = models.CharField(_("job title"), max_length=150, blank=True)
    phone = models.CharField(_("phone"), max_length=50, blank=True)
    company = models.CharField(_("company"), max_length=200, blank=True)
    account = models.ForeignKey(
        Account,
        verbose_name=_("account"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="leads",
    )
    country = CountryField(_("country"), countries=Countries, blank=True)
    persona = models.CharField(_("persona"), max_length=100, blank=True)
    channel = models.CharField(
        _("channel"), max_length=30, choices=Channel.choices, default=Channel.UNKNOWN
    )
    source = models.CharField(_("source"), max_length=100, blank=True)
    medium = models.CharField(_("medium"), max_length=100, blank=True)
    campaign = models.CharField(_("campaign"), max_length=200, blank=True)
    owner = models.ForeignKey(
        User,
        verbose_name=_("owner"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="leads",
    )
    team = models.ForeignKey(
        Team,
        verbose_name=_("team"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="leads",
    )
    custom = models.JSONField(_("custom fields"), default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    # Before this day a recycled lead must not come back to sales.
    not_before_on = models.DateField(_("not before"), null=True, blank=True)

    # Caches of the newest episode, written with it by leads/lifecycle.py.
    stage = models.CharField(_("stage"), max_length=20, choices=Stage.choices, default="lead")
    stage_entered_at = models.DateTimeField(_("in stage since"), null=True)
    # The instant above is a bound, not a fact: read `stage_since` to show or count with it.
    is_stage_date_unknown = models.BooleanField(default=False, db_default=False, editable=False)
    cycle = models.PositiveSmallIntegerField(_("cycle"), default=1)
    episode_seq = models.PositiveIntegerField(default=0, editable=False)
    # Where a merged lead went; a cache of its open Merge, written with it by leads/merging.py.
    merged_into = models.ForeignKey(
        "self", null=True, editable=False, on_delete=models.PROTECT, related_name="merged_leads"
    )

    search = models.GeneratedField(
        expression=SearchVector(
            "first_name",
            "last_name",
            "email",
            in_words("email"),
            "company",
            "title",
            *map(without_marks, ("first_name", "last_name", "company")),
            config="simple",
        ),
        output_field=SearchVectorField(),
        db_persist=True,
    )

    objects = LeadQuerySet.as_manager()

    class Meta:
        verbose_name = _("lead")
        verbose_name_plural = _("leads")
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                condition=~Q(email="") & ~Q(stage=Stage.MERGED),
                name="leads_lead_email_once",
            ),
            models.CheckConstraint(condition=Q(stage__in=Stage.values), name="leads_lead_stage"),
            models.CheckConstraint(
                condition=Q(stage=Stage.MERGED, merged_into__isnull=False)
                | (~Q(stage=Stage.MERGED) & Q(merged_into=None)),
                name="leads_lead_merged_somewhere",
            ),
        ]
        indexes = [
            GinIndex(fields=["search"], name="leads_lead_search"),
            models.Index(
                "stage", OrderBy(STAGE_SINCE, descending=True), "id", name="leads_lead_stage_since"
            ),
            models.Index(F("created_at").desc(), "id", name="leads_lead_newest"),
            models.Index("owner", "stage", name="leads_lead_owner_stage"),
            models.Index("team", "stage", name="leads_lead_team_stage"),
            models.Index("channel", "source", name="leads_lead_channel"),
            models.Index("country", name="leads_lead_country"),
            # The orders of the lead list (leads/paging.py), each an index walk.
            models.Index(BY_NAME, "id", name="leads_lead_by_name"),
            models.Index(OrderBy(STAGE_SINCE, descending=True), "id", name="leads_lead_since"),
            models.Index("source", "id", name="leads_lead_source"),
            models.Index(
                Lower("email"), condition=Q(stage=Stage.MERGED), name="leads_lead_merged_email"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        full = f"{self.first_name} {self.last_name}".strip()
        return full or self.email or self.company or f"#{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.stage in FUNNEL

    @property
    def stage_since(self) -> datetime | None:
        """When the lead entered its stage; None when nobody knows."""
        return None if self.is_stage_date_unknown else self.stage_entered_at


from leads.evidence_models import (  # noqa: E402
    AuditEntry,
    BuyingRole,
    Consent,
    CustomField,
    ExternalId,
)
from leads.import_models import Import, ImportContent, ImportRow  # noqa: E402
from leads.lifecycle_models import Criterion, StageEpisode, StageMove  # noqa: E402
from leads.merging_models import Duplicate, DuplicateSearch, Merge  # noqa: E402
from leads.standing_models import (  # noqa: E402
    AccountStanding,
    LastActivity,
    StaleAccount,
    Standing,
)
from leads.touch_models import LeadTouch  # noqa: E402

__all__ = [
    "Account",
    "AccountStanding",
    "AuditEntry",
    "BuyingRole",
    "Consent",
    "Criterion",
    "CustomField",
    "Duplicate",
    "DuplicateSearch",
    "ExternalId",
    "Import",
    "ImportContent",
    "ImportRow",
    "LastActivity",
    "Lead",
    "LeadTouch",
    "Merge",
    "StageEpisode",
    "StageMove",
    "StaleAccount",
    "Standing",
]
