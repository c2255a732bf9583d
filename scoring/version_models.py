"""Scoring models, their versions, and who has signed them.

What PostgreSQL itself refuses (a version in force without two signatures, any change of
what was submitted) is in the migrations.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.timezone import now
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _

from scoring import conditions
from scoring.vocabulary import Axis
from users.models import User

POINTS: Any = {"max_digits": 7, "decimal_places": 2}
# The model that scores whom no other one is for. A migration makes it, under this name.
DEFAULT_MODEL_ID = 1
FIRST_YEAR = 2000  # of dates that people may write
DEFAULT_MODEL_NAME = gettext_noop("All leads")


class ScoringModel(models.Model):
    """Whom a line of versions is for: a product line or a segment. One version each is in force.

    A lead belongs to the first model, by `position`, whose conditions its fields meet and
    that has a version in force; else to the default one, which has no conditions.
    """

    id = models.SmallAutoField(primary_key=True)
    name = models.CharField(_("name"), max_length=100, unique=True)
    conditions = models.JSONField(
        _("who belongs to it"),
        default=list,
        blank=True,
        help_text=_("Conditions on the fields of a lead, as for a fit signal. All must hold."),
    )
    position = models.PositiveSmallIntegerField(
        _("position"), unique=True, help_text=_("Models are asked in this order.")
    )

    class Meta:
        ordering = ("position",)
        verbose_name = _("scoring model")
        verbose_name_plural = _("scoring models")
        constraints = [
            models.CheckConstraint(
                condition=Q(pk=DEFAULT_MODEL_ID, conditions=[])
                | (~Q(pk=DEFAULT_MODEL_ID) & ~Q(conditions=[])),
                name="scoring_model_default_is_for_all",
            )
        ]

    def __str__(self) -> str:
        return self.words

    @property
    def words(self) -> str:
        """The name; that of the model we ship, in the reader's language."""
        return gettext(self.name) if self.name else ""

    @property
    def is_default(self) -> bool:
        return self.pk == DEFAULT_MODEL_ID

    def clean(self) -> None:
        """Refuse conditions that make no sense, and a second model for everybody."""
        if self.is_default:
            return
        if not self.conditions:
            raise ValidationError(
                {"conditions": _("Say whom this model is for: one model for all is enough.")}
            )
        try:
            conditions.check_conditions(self.conditions, Axis.FIT)
        except ValidationError as error:
            raise ValidationError({"conditions": error.messages}) from error


class ModelVersionQuerySet(models.QuerySet["ModelVersion"]):
    def in_force(self) -> ModelVersionQuerySet:
        """The active version of each model."""
        return self.filter(state=ModelVersion.State.ACTIVE).select_related("model")

    def active(self) -> ModelVersion | None:
        """The default model's active version, or None before the first is published.

        By which version one lead is scored: scoring.governing.version_for.
        """
        return self.in_force().filter(model=DEFAULT_MODEL_ID).first()


class ModelVersion(models.Model):
    """Rules, caps, threshold and cuts that belong together. Immutable once submitted."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        IN_REVIEW = "in_review", _("In review")
        SIGNED = "signed", _("Signed")
        ACTIVE = "active", _("Active")
        RETIRED = "retired", _("Retired")

    model = models.ForeignKey(
        ScoringModel,
        verbose_name=_("scoring model"),
        default=DEFAULT_MODEL_ID,
        on_delete=models.PROTECT,
        related_name="versions",
    )
    number = models.PositiveIntegerField(_("number"), unique=True)
    name = models.CharField(_("name"), max_length=100)
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.DRAFT, editable=False
    )
    threshold = models.DecimalField(
        _("threshold"), **POINTS, help_text=_("From this score on a lead may become an MQL.")
    )
    hysteresis = models.DecimalField(
        _("hysteresis"),
        **POINTS,
        default=Decimal(5),
        validators=[MinValueValidator(0)],
        help_text=_(
            "A lead that is with sales counts as cooled only when its score lies this much "
            "below the threshold."
        ),
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
    effective_from = models.DateTimeField(
        _("in force from"),
        null=True,
        blank=True,
        help_text=_("Not before this instant. Empty: as soon as it is published."),
    )
    review_due_on = models.DateField(_("review due"), null=True, blank=True)
    based_on = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    published_at = models.DateTimeField(_("published"), null=True, editable=False)
    published_by = models.ForeignKey(
        User, null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )
    retired_at = models.DateTimeField(_("retired"), null=True, editable=False)
    # Published for new leads only: it scores those with a greater id; the others stay with
    # `replaces`, the version that was active before it.
    after_lead_id = models.BigIntegerField(null=True, editable=False)
    replaces = models.ForeignKey(
        "self", null=True, editable=False, on_delete=models.PROTECT, related_name="+"
    )

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        ordering = ("-number",)
        verbose_name = _("scoring model version")
        verbose_name_plural = _("scoring model versions")
        constraints = [
            models.UniqueConstraint(
                fields=["model"], condition=Q(state="active"), name="scoring_one_active_version"
            ),
            models.CheckConstraint(
                condition=Q(fit_floor__lt=F("fit_ceiling"))
                & Q(interest_floor__lt=F("interest_ceiling")),
                name="scoring_version_floor_below_ceiling",
            ),
            models.CheckConstraint(
                condition=Q(hysteresis__gte=0), name="scoring_version_hysteresis"
            ),
            models.CheckConstraint(
                condition=Q(after_lead_id=None) | ~Q(replaces=None),
                name="scoring_version_older_leads_have_one",
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

    @property
    def is_due_later(self) -> bool:
        return self.effective_from is not None and self.effective_from > now()

    def clean(self) -> None:
        """Refuse ranges upside down, and a threshold that nobody can reach or everybody meets."""
        errors = self._errors_of_axes()
        if not {"fit_ceiling", "interest_ceiling"} & errors.keys():
            errors |= self._errors_of_threshold()  # between limits that make sense
        errors |= self._errors_of_dates()
        if errors:
            raise ValidationError(errors)

    def met_by_everybody(self) -> str:
        """A sentence when a lead of whom nothing is known meets the threshold; else empty.

        Such a lead has 0 points, moved into the limits of both axes.
        """
        fit = min(max(Decimal(0), self.fit_floor), self.fit_ceiling)
        points = fit + min(max(Decimal(0), self.interest_floor), self.interest_ceiling)
        least = max(Decimal(0), points)
        if self.threshold > least:
            return ""
        return gettext(
            "Every lead meets this threshold: one of whom nothing is known has %(points)s already."
        ) % {"points": f"{least.normalize():f}"}

    def _errors_of_threshold(self) -> dict[str, Any]:
        errors: dict[str, Any] = {}
        limits = (self.fit_floor, self.fit_ceiling, self.interest_floor, self.interest_ceiling)
        if None in (*limits, self.threshold):
            return errors
        if self.threshold > self.fit_ceiling + self.interest_ceiling:
            errors["threshold"] = _("No lead can reach this: it is more than both axes together.")
        elif sentence := self.met_by_everybody():
            errors["threshold"] = sentence
        elif self.threshold - (self.hysteresis or 0) < self.fit_floor + self.interest_floor:
            errors["hysteresis"] = _("No score can fall that far below the threshold.")
        return errors

    def _errors_of_dates(self) -> dict[str, Any]:
        errors: dict[str, Any] = {}
        if self.effective_from and not FIRST_YEAR <= self.effective_from.year <= now().year + 5:
            errors["effective_from"] = _("Choose a date within the next five years.")
        if self.review_due_on and not FIRST_YEAR <= self.review_due_on.year <= now().year + 5:
            errors["review_due_on"] = _("Choose a date within the next five years.")
        return errors

    def _errors_of_axes(self) -> dict[str, Any]:
        errors: dict[str, Any] = {}
        for axis in Axis.values:
            floor, ceiling = getattr(self, f"{axis}_floor"), getattr(self, f"{axis}_ceiling")
            cut = getattr(self, f"{axis}_cut")
            if None in (floor, ceiling, cut):
                continue
            if floor >= ceiling:
                errors[f"{axis}_ceiling"] = _("The most must be greater than the least.")
            elif not floor <= cut <= ceiling:
                errors[f"{axis}_cut"] = _("The cut must lie between the least and the most.")
        return errors


class Signature(models.Model):
    """One side's yes to a version in review. Two sides, two people, or it is not signed."""

    class Side(models.TextChoices):
        MARKETING = "marketing", _("Marketing")
        SALES = "sales", _("Sales")

    version = models.ForeignKey(ModelVersion, on_delete=models.PROTECT, related_name="signatures")
    side = models.CharField(_("side"), max_length=10, choices=Side.choices)
    signed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    signed_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("side",)
        verbose_name = _("signature")
        verbose_name_plural = _("signatures")
        constraints = [
            models.UniqueConstraint(fields=["version", "side"], name="scoring_signature_per_side"),
            models.UniqueConstraint(
                fields=["version", "signed_by"], name="scoring_signature_by_two_people"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_side_display()}: {self.signed_by}"
