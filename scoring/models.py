"""The treaty between marketing and sales: what counts, and what it is worth.

What PostgreSQL itself refuses (changing a submitted version or a signal that one uses)
is in the migrations. Versions and signatures: version_models.py; derived rows and work
rows: work_models.py.
"""

from __future__ import annotations

from decimal import Decimal

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
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
from scoring.version_models import (
    DEFAULT_MODEL_ID,
    POINTS,
    ModelVersion,
    ScoringModel,
    Signature,
)
from scoring.vocabulary import Axis, Frequency
from scoring.work_models import (
    DirtyLead,
    FailedLead,
    FieldMatch,
    HeldLead,
    LeadFeature,
    Publication,
)

__all__ = [
    "DEFAULT_MODEL_ID",
    "BackTest",
    "DirtyLead",
    "FailedLead",
    "FieldMatch",
    "GroupCap",
    "HeldLead",
    "IndustryWord",
    "LeadFeature",
    "LegalForm",
    "MailDomain",
    "ModelVersion",
    "Publication",
    "Rewording",
    "Rule",
    "ScoringModel",
    "SharedMailbox",
    "Signal",
    "Signature",
    "TitleWord",
]

MOST_POINTS = Decimal(1000)


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
        help_text=_("For interest, e.g. page_viewed. Empty for fit and for any inactivity."),
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
    window_days = models.PositiveSmallIntegerField(
        _("window in days"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text=_("An event counts in full for so many days, then no more. Instead of fading."),
    )
    inactive_days = models.PositiveSmallIntegerField(
        _("days without"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text=_("Counts while the last such event lies at least so many days back."),
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
                condition=Q(
                    axis=Axis.FIT,
                    event_kind="",
                    half_life_days=None,
                    window_days=None,
                    inactive_days=None,
                )
                | (Q(axis=Axis.INTEREST) & (~Q(event_kind="") | Q(inactive_days__gte=1))),
                name="scoring_signal_axis",
            ),
            # Fading, a window and inactivity are three ways for time to pass: one of them.
            models.CheckConstraint(
                condition=Q(half_life_days=None, window_days=None)
                | Q(half_life_days=None, inactive_days=None)
                | Q(window_days=None, inactive_days=None),
                name="scoring_signal_one_way_of_time",
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
