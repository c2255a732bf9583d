"""The treaty between marketing and sales: what counts, and what it is worth.

What PostgreSQL itself refuses (changing a published version or a signal that
one uses) is in migration 0002. Derived rows and work rows: work_models.py.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from scoring import conditions
from scoring.dictionary_models import (
    IndustryWord,
    LegalForm,
    MailDomain,
    Rewording,
    SharedMailbox,
    TitleWord,
)
from scoring.study_models import BackTest
from scoring.vocabulary import Axis, Frequency
from scoring.work_models import (
    DirtyLead,
    FailedLead,
    FieldMatch,
    LeadFeature,
    Publication,
)
from users.models import User

__all__ = [
    "BackTest",
    "DirtyLead",
    "FailedLead",
    "FieldMatch",
    "GroupCap",
    "IndustryWord",
    "LeadFeature",
    "LegalForm",
    "MailDomain",
    "ModelVersion",
    "Publication",
    "Rewording",
    "Rule",
    "SharedMailbox",
    "Signal",
    "TitleWord",
]

MOST_POINTS = Decimal(1000)
POINTS: Any = {"max_digits": 7, "decimal_places": 2}


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    def active(self) -> ModelVersion | None:
        """The one version that scores, or None before the first is published."""
        return self.filter(state=ModelVersion.State.ACTIVE).first()


class ModelVersion(models.Model):
    """Rules, caps, threshold and cuts that belong together. Immutable once published."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        ACTIVE = "active", _("Active")
        RETIRED = "retired", _("Retired")

    number = models.PositiveIntegerField(_("number"), unique=True)
    name = models.CharField(_("name"), max_length=100)
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.DRAFT, editable=False
    )
    threshold = models.DecimalField(
        _("threshold"), **POINTS, help_text=_("From this score on a lead may become an MQL.")
    )
    fit_cut = models.DecimalField(
        _("fit cut"), **POINTS, help_text=_("From here on the fit is high.")
    )
    interest_cut = models.DecimalField(
        _("interest cut"), **POINTS, help_text=_("From here on the interest is high.")
    )
    fit_floor = models.DecimalField(_("least fit"), **POINTS, default=Decimal(-50))
    fit_ceiling = models.DecimalField(_("most fit"), **POINTS, default=Decimal(50))
    interest_floor = models.DecimalField(_("least interest"), **POINTS, default=Decimal(-50))
    interest_ceiling = models.DecimalField(_("most interest"), **POINTS, default=Decimal(100))
    review_due_on = models.DateField(_("review due"), null=True, blank=True)
    based_on = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    published_at = models.DateTimeField(_("published"), null=True, editable=False)
    published_by = models.ForeignKey(
        User, null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    retired_at = models.DateTimeField(_("retired"), null=True, editable=False)

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        ordering = ("-number",)
        verbose_name = _("scoring model version")
        verbose_name_plural = _("scoring model versions")
        constraints = [
            models.UniqueConstraint(
                fields=["state"], condition=Q(state="active"), name="scoring_one_active_version"
            ),
            models.CheckConstraint(
                condition=Q(fit_floor__lt=F("fit_ceiling"))
                & Q(interest_floor__lt=F("interest_ceiling")),
                name="scoring_version_floor_below_ceiling",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} · {self.title}"

    @property
    def title(self) -> str:
        """The name; that of the version we ship, in the reader's language."""
        return gettext(self.name) if self.name else ""

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT

    def clean(self) -> None:
        """Refuse ranges upside down and a threshold that nobody can reach."""
        errors = {}
        for axis in Axis.values:
            floor, ceiling = getattr(self, f"{axis}_floor"), getattr(self, f"{axis}_ceiling")
            cut = getattr(self, f"{axis}_cut")
            if None in (floor, ceiling, cut):
                continue
            if floor >= ceiling:
                errors[f"{axis}_ceiling"] = _("The most must be greater than the least.")
            elif not floor <= cut <= ceiling:
                errors[f"{axis}_cut"] = _("The cut must lie between the least and the most.")
        ceilings = (self.fit_ceiling, self.interest_ceiling)
        if None not in (*ceilings, self.threshold) and self.threshold > sum(ceilings):
            errors["threshold"] = _("No lead can reach this: it is more than both axes together.")
        if errors:
            raise ValidationError(errors)


class Signal(models.Model):
    """A condition that can earn points, whatever they are worth. Immutable once published.

    Fit signals look at the fields of a lead; interest signals at events of one kind.
    """

    axis = models.CharField(_("axis"), max_length=10, choices=Axis.choices)
    key = models.SlugField(_("key"), max_length=50, unique=True)
    label = models.CharField(_("in plain words"), max_length=150)
    event_kind = models.CharField(
        _("kind of event"),
        max_length=100,
        blank=True,
        help_text=_("For interest, e.g. page_viewed. Empty for fit."),
    )
    # [{"field": "path", "operator": "starts_with", "value": "/pricing"}, …]; all must hold.
    conditions = models.JSONField(_("conditions"), default=list, blank=True)
    frequency = models.CharField(
        _("counts"), max_length=15, choices=Frequency.choices, default=Frequency.EVERY
    )
    max_count = models.PositiveSmallIntegerField(
        _("at most"), default=1, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    period_days = models.PositiveSmallIntegerField(
        _("per so many days"), default=1, validators=[MinValueValidator(1), MaxValueValidator(366)]
    )
    distinct_field = models.CharField(
        _("per distinct"), max_length=70, blank=True, help_text=_("e.g. path, or properties.asset")
    )
    half_life_days = models.PositiveSmallIntegerField(
        _("half-life in days"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text=_("After so many days an event counts half. Empty: it does not fade."),
    )
    # Place in LeadFeature.sums, counted from 1; never given to another signal.
    ordinal = models.PositiveSmallIntegerField(unique=True, editable=False)
    # When the events of all leads had been searched for it; None: not yet.
    counted_at = models.DateTimeField(null=True, editable=False)
    # Counting goes by lead: those up to and including this id are done.
    counted_to_lead_id = models.BigIntegerField(default=0, editable=False)

    class Meta:
        ordering = ("axis", "ordinal")
        verbose_name = _("signal")
        verbose_name_plural = _("signals")
        constraints = [
            models.CheckConstraint(
                condition=(Q(axis=Axis.FIT, event_kind="", half_life_days=None))
                | (Q(axis=Axis.INTEREST) & ~Q(event_kind="")),
                name="scoring_signal_axis",
            ),
            models.CheckConstraint(
                condition=Q(half_life_days=None) | Q(half_life_days__gte=1),
                name="scoring_signal_half_life",
            ),
            models.CheckConstraint(condition=Q(ordinal__gte=1), name="scoring_signal_ordinal"),
        ]

    def __str__(self) -> str:
        return self.words

    @property
    def words(self) -> str:
        """The label; the words that we ship, in the reader's language."""
        return gettext(self.label) if self.label else ""

    @property
    def is_fit(self) -> bool:
        return self.axis == Axis.FIT

    def clean(self) -> None:
        conditions.check_signal(self)


class Rule(models.Model):
    """What a signal is worth in one version of the model."""

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="rules")
    signal = models.ForeignKey(Signal, on_delete=models.PROTECT, related_name="rules")
    points = models.DecimalField(
        _("points"),
        **POINTS,
        validators=[MinValueValidator(-MOST_POINTS), MaxValueValidator(MOST_POINTS)],
    )
    group = models.CharField(
        _("group"), max_length=50, blank=True, help_text=_("Rules of one group share its cap.")
    )
    is_blocking = models.BooleanField(
        _("blocks"),
        default=False,
        help_text=_("A lead to whom this applies never becomes an MQL by itself."),
    )

    class Meta:
        ordering = ("signal__axis", "group", "-points", "id")
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        constraints = [
            models.UniqueConstraint(fields=["version", "signal"], name="scoring_rule_once")
        ]

    def __str__(self) -> str:
        return f"{self.signal}: {self.points:+}"


class GroupCap(models.Model):
    """The rules of a group together count at most this much, up or down."""

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="caps")
    axis = models.CharField(_("axis"), max_length=10, choices=Axis.choices)
    group = models.CharField(_("group"), max_length=50)
    cap = models.DecimalField(
        _("at most"), **POINTS, validators=[MinValueValidator(0), MaxValueValidator(MOST_POINTS)]
    )

    class Meta:
        ordering = ("axis", "group")
        verbose_name = _("group cap")
        verbose_name_plural = _("group caps")
        constraints = [
            models.UniqueConstraint(
                fields=["version", "axis", "group"], name="scoring_groupcap_once"
            ),
            models.CheckConstraint(condition=Q(cap__gte=0), name="scoring_groupcap_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.group} ≤ {self.cap}"


from scoring.prediction_models import Prediction, PredictionOverride, Training  # noqa: E402, F401
