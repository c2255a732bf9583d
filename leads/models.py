"""Columns, constraints and adjectives of the system of record.

The rules that PostgreSQL itself holds (legal moves, an unbroken chain of
episodes, no edit of history) are in migration 0003.
"""

from __future__ import annotations

import uuid
from typing import Self

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Lower, Now, Replace
from django.utils.translation import gettext_lazy as _
from django_countries.fields import CountryField

from leads.actors import ActorKind
from leads.channels import Channel
from leads.stages import FUNNEL, EntryKind, Stage
from users.models import Team, User
from users.roles import Role


class Account(models.Model):
    """A customer company, or one that may become a customer."""

    name = models.CharField(_("name"), max_length=200)
    domain = models.CharField(_("domain"), max_length=253, blank=True)
    industry = models.CharField(_("industry"), max_length=100, blank=True)
    country = CountryField(_("country"), blank=True)
    employee_count = models.PositiveIntegerField(_("employees"), null=True, blank=True)
    revenue_amount = models.DecimalField(
        _("yearly revenue"), max_digits=16, decimal_places=2, null=True, blank=True
    )
    revenue_currency = models.CharField(_("currency"), max_length=3, blank=True)
    custom = models.JSONField(_("custom fields"), default=dict, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

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
            return self.filter(Q(team=user.team_id) | Q(owner__team=user.team_id))
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
    country = CountryField(_("country"), blank=True)
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
    cycle = models.PositiveSmallIntegerField(_("cycle"), default=1)
    episode_seq = models.PositiveIntegerField(default=0, editable=False)

    search = models.GeneratedField(
        expression=SearchVector(
            "first_name",
            "last_name",
            "email",
            Replace("email", Value("@"), Value(" ")),
            "company",
            "title",
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
        ]
        indexes = [
            GinIndex(fields=["search"], name="leads_lead_search"),
            models.Index(
                "stage", F("stage_entered_at").desc(), "id", name="leads_lead_stage_since"
            ),
            models.Index(F("created_at").desc(), "id", name="leads_lead_newest"),
            models.Index("owner", "stage", name="leads_lead_owner_stage"),
            models.Index("team", "stage", name="leads_lead_team_stage"),
            models.Index("channel", "source", name="leads_lead_channel"),
            models.Index("country", name="leads_lead_country"),
            models.Index(Lower("last_name"), "id", name="leads_lead_name"),
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


class ExternalId(models.Model):
    """The key another system knows a lead by: import key, CRM id, Segment user id."""

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="external_ids")
    system = models.CharField(max_length=50)
    value = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["system", "value"], name="leads_externalid_once")
        ]

    def __str__(self) -> str:
        return f"{self.system}:{self.value}"


class Standing(models.Model):
    """How promising a lead is right now: narrow, because it changes for all leads at once.

    Written only through leads/standing.py. Points are decimals with two places,
    true as of `scored_at`.
    """

    class Quadrant(models.TextChoices):
        BOTH = "both", _("Fit and interest")
        FIT = "fit", _("Fit only")
        INTEREST = "interest", _("Interest only")
        NEITHER = "neither", _("Neither")

    lead = models.OneToOneField(Lead, on_delete=models.CASCADE, primary_key=True)
    score = models.DecimalField(_("score"), max_digits=9, decimal_places=2, default=0)
    fit = models.DecimalField(_("fit"), max_digits=9, decimal_places=2, default=0)
    interest = models.DecimalField(_("interest"), max_digits=9, decimal_places=2, default=0)
    quadrant = models.CharField(
        _("quadrant"), max_length=10, choices=Quadrant.choices, default=Quadrant.NEITHER
    )
    # At or above the threshold, in the right quadrant, nothing blocking.
    is_promising = models.BooleanField(default=False)
    last_activity_at = models.DateTimeField(_("last activity"), null=True)
    model_version = models.PositiveIntegerField(null=True)
    scored_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(F("score").desc(), "lead", name="leads_standing_score")]

    def __str__(self) -> str:
        return f"{self.score} ({self.get_quadrant_display()})"


class StageMove(models.Model):
    """A legal move, as the database knows it (see leads/stages.py)."""

    from_stage = models.CharField(max_length=20, blank=True)
    to_stage = models.CharField(max_length=20)
    kind = models.CharField(max_length=20, choices=EntryKind.choices)
    starts_cycle = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["from_stage", "to_stage", "kind", "starts_cycle"],
                name="leads_stagemove_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.from_stage or '–'} → {self.to_stage}"


class StageEpisode(models.Model):
    """A stay in a stage. Append-only; PostgreSQL closes the one before it."""

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="episodes")
    seq = models.PositiveIntegerField()
    previous_seq = models.PositiveIntegerField(null=True)
    from_stage = models.CharField(max_length=20, blank=True)
    stage = models.CharField(_("stage"), max_length=20, choices=Stage.choices)
    entry_kind = models.CharField(max_length=20, choices=EntryKind.choices)
    starts_cycle = models.BooleanField(default=False)
    cycle = models.PositiveSmallIntegerField(_("cycle"), default=1)
    entered_at = models.DateTimeField(_("entered"))
    # Both written by the database when the next episode is inserted.
    left_at = models.DateTimeField(_("left"), null=True)
    exit_kind = models.CharField(max_length=20, choices=EntryKind.choices, blank=True)

    # A skipped stage: zero-length, so that "reached" counts stay monotone.
    is_pass_through = models.BooleanField(default=False)
    # The instant is a bound, not a fact (imported history); not in time-in-stage figures.
    is_date_unknown = models.BooleanField(default=False)
    actor_kind = models.CharField(max_length=10, choices=ActorKind.choices)
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    actor_label = models.CharField(max_length=200, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    is_override = models.BooleanField(default=False)
    criteria = models.JSONField(default=list)
    model_version = models.PositiveIntegerField(null=True)
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("lead_id", "seq")
        verbose_name = _("stage episode")
        verbose_name_plural = _("stage episodes")
        constraints = [
            models.UniqueConstraint(fields=["lead", "seq"], name="leads_episode_seq_once"),
            models.UniqueConstraint(
                fields=["lead"], condition=Q(left_at=None), name="leads_episode_one_open"
            ),
            models.UniqueConstraint(
                fields=["lead", "cycle", "stage"], name="leads_episode_stage_once_per_cycle"
            ),
            models.CheckConstraint(
                condition=Q(seq=1, previous_seq=None, from_stage="", cycle=1)
                | (Q(seq__gt=1, previous_seq=F("seq") - 1) & ~Q(from_stage="")),
                name="leads_episode_chain",
            ),
            models.CheckConstraint(
                condition=Q(left_at=None, exit_kind="")
                | (Q(left_at__gte=F("entered_at")) & ~Q(exit_kind="")),
                name="leads_episode_not_negative",
            ),
        ]
        indexes = [models.Index("stage", "entered_at", name="leads_episode_stage_when")]

    def __str__(self) -> str:
        return f"{self.get_stage_display()} #{self.seq}"


class Criterion(models.Model):
    """One exit criterion of a stage, editable by admins.

    `kind` names an evaluator registered with leads/criteria.py; `params` are its
    settings, e.g. {"minimum": 3}.
    """

    stage = models.CharField(_("to leave stage"), max_length=20, choices=Stage.choices)
    kind = models.CharField(_("kind"), max_length=50)
    params = models.JSONField(_("settings"), default=dict, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        ordering = ("stage", "position", "id")
        verbose_name = _("criterion")
        verbose_name_plural = _("criteria")
        constraints = [
            models.CheckConstraint(
                condition=Q(stage__in=list(FUNNEL)), name="leads_criterion_stage"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_stage_display()}: {self.kind}"


class Consent(models.Model):
    """What a person allowed or withdrew, when, and how we know. Append-only."""

    class Purpose(models.TextChoices):
        MAIL = "mail", _("E-mail")
        TRACKING = "tracking", _("Individual tracking")

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(_("purpose"), max_length=20, choices=Purpose.choices)
    is_granted = models.BooleanField(_("granted"))
    given_at = models.DateTimeField(_("when"))
    evidence = models.CharField(_("evidence"), max_length=500)
    # One effect per cause: the event, import row or form that said so.
    cause = models.CharField(max_length=100)
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("-given_at", "-id")
        constraints = [
            models.UniqueConstraint(
                fields=["lead", "purpose", "cause"], name="leads_consent_once_per_cause"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}: {self.is_granted}"


class BuyingRole(models.Model):
    """The part a person plays in the account's decision to buy."""

    class Kind(models.TextChoices):
        DECISION_MAKER = "decision_maker", _("Decision maker")
        ECONOMIC_BUYER = "economic_buyer", _("Economic buyer")
        CHAMPION = "champion", _("Champion")
        INFLUENCER = "influencer", _("Influencer")
        USER = "user", _("End user")
        BLOCKER = "blocker", _("Blocker")
        GATEKEEPER = "gatekeeper", _("Gatekeeper")

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="buying_roles")
    kind = models.CharField(_("role"), max_length=20, choices=Kind.choices)
    recorded_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lead", "kind"], name="leads_buyingrole_once")
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class CustomField(models.Model):
    """A field of its own type that an organisation adds to leads or accounts."""

    class Target(models.TextChoices):
        LEAD = "lead", _("Lead")
        ACCOUNT = "account", _("Account")

    class Kind(models.TextChoices):
        TEXT = "text", _("Text")
        NUMBER = "number", _("Number")
        DATE = "date", _("Date")
        BOOLEAN = "boolean", _("Yes or no")
        CHOICE = "choice", _("Choice")

    target = models.CharField(_("belongs to"), max_length=10, choices=Target.choices)
    key = models.SlugField(_("key"), max_length=50)
    label = models.CharField(_("label"), max_length=100)
    kind = models.CharField(_("type"), max_length=10, choices=Kind.choices)
    choices = models.JSONField(_("choices"), default=list, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        ordering = ("target", "position", "label")
        verbose_name = _("custom field")
        verbose_name_plural = _("custom fields")
        constraints = [
            models.UniqueConstraint(fields=["target", "key"], name="leads_customfield_once")
        ]

    def __str__(self) -> str:
        return self.label


class AuditEntry(models.Model):
    """Who changed what outside the lifecycle. Append-only, held by the database."""

    at = models.DateTimeField(db_default=Now(), editable=False)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    actor_label = models.CharField(max_length=200, blank=True)
    verb = models.CharField(max_length=50)
    object_kind = models.CharField(max_length=50)
    object_id = models.BigIntegerField(null=True)
    changes = models.JSONField(default=dict)
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ("-at", "-id")
        indexes = [
            models.Index("object_kind", "object_id", F("id").desc(), name="leads_audit_object")
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.object_kind} {self.object_id}"
