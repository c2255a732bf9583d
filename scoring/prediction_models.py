"""The predictive score: trainings (work rows and their results), predictions, human overrides.

Models are stored as JSON: coefficients and trees are plain numbers, nothing is unpickled.
Written by scoring/prediction/training.py, predicting.py and overriding.py.
"""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from leads.import_models import Import
from leads.models import Lead
from leads.stages import Stage
from users.models import User

DEFAULT_HORIZON = 90  # days
LONGEST_HORIZON = 730
# What may be predicted: reaching one of these.
OUTCOMES = (Stage.SAL, Stage.SQL, Stage.CUSTOMER)


class TrainingQuerySet(models.QuerySet["Training"]):
    def waiting(self) -> TrainingQuerySet:
        """Not done and not given up."""
        return self.filter(state__in=(Training.State.WAITING, Training.State.RUNNING))

    def of_leads(self) -> TrainingQuerySet:
        return self.filter(source=Training.Source.LEADS)

    def governing(self) -> Training | None:
        """The newest finished training on the product's own leads: on or off, it decides."""
        finished = self.of_leads().filter(state=Training.State.FINISHED)
        return finished.defer("model", "report").order_by("-pk").first()


class Training(models.Model):
    """One training: what it was asked to learn, how far it is, and what came of it."""

    MOST_ATTEMPTS = 5

    class Source(models.TextChoices):
        LEADS = "leads", _("Own leads")
        IMPORT = "import", _("Imported file")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        RUNNING = "running", _("Being trained")
        FINISHED = "finished", _("Finished")
        STOPPED = "stopped", _("Stopped by an error")

    class Verdict(models.TextChoices):
        ON = "on", _("On")
        NO_SIGNAL = "no_signal", _("No signal")
        NOT_ENOUGH = "not_enough", _("Not enough data")

    source = models.CharField(_("learned from"), max_length=10, choices=Source.choices)
    # Of own leads: reaching this stage within the horizon, known at `as_of`.
    outcome = models.CharField(_("outcome"), max_length=20, choices=Stage.choices, blank=True)
    horizon_days = models.PositiveSmallIntegerField(
        _("within days"),
        default=DEFAULT_HORIZON,
        validators=[MinValueValidator(1), MaxValueValidator(LONGEST_HORIZON)],
    )
    # Of a file: which columns mean what (scoring/prediction/workbench.py).
    file = models.ForeignKey(Import, null=True, on_delete=models.SET_NULL, related_name="+")
    file_name = models.CharField(_("file"), max_length=200, blank=True)
    params = models.JSONField(default=dict)
    as_of = models.DateTimeField(_("data up to"), db_default=Now())
    requested_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    requested_at = models.DateTimeField(_("requested"), db_default=Now())

    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.WAITING
    )
    step = models.CharField(max_length=20, blank=True)
    done = models.FloatField(default=0.0)  # 0..1
    attempts = models.PositiveSmallIntegerField(default=0)
    worker = models.CharField(max_length=36, blank=True)
    leased_until = models.DateTimeField(null=True)
    error = models.CharField(max_length=500, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True)

    verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict.choices, blank=True)
    # Figures, leaks, importance, counts (scoring/prediction/learning.py).
    report = models.JSONField(default=dict)
    # scoring/prediction/predictor.py; {} unless the verdict is ON.
    model = models.JSONField(default=dict)
    # {"is_drifting": bool, "inputs": [...], "calibration": {...}}: drifting.py.
    drift = models.JSONField(default=dict)
    drift_checked_at = models.DateTimeField(null=True)
    # A sweep predicts all open leads in order of id; this one has come so far.
    sweep_began_at = models.DateTimeField(null=True)
    swept_to_lead_id = models.BigIntegerField(default=0)
    swept_at = models.DateTimeField(null=True)  # when the last one ended

    objects = TrainingQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name = _("training")
        verbose_name_plural = _("trainings")
        constraints = [
            models.CheckConstraint(
                condition=Q(source="leads") & ~Q(outcome="") | Q(source="import"),
                name="scoring_training_outcome",
            ),
            models.CheckConstraint(
                condition=Q(state="finished", finished_at__isnull=False) & ~Q(verdict="")
                | ~Q(state="finished"),
                name="scoring_training_finished",
            ),
            # Two trainings on the own leads would only wait for each other.
            models.UniqueConstraint(
                fields=["source"],
                condition=Q(source="leads", state__in=["waiting", "running"]),
                name="scoring_training_one_of_leads",
            ),
        ]
        indexes = [
            models.Index(
                "id",
                name="scoring_training_waiting",
                condition=Q(state__in=["waiting", "running"]),
            )
        ]

    def __str__(self) -> str:
        return f"training {self.pk} on {self.file_name or self.get_source_display()}"

    @property
    def is_working(self) -> bool:
        return self.state in (self.State.WAITING, self.State.RUNNING)

    @property
    def is_on(self) -> bool:
        return self.verdict == self.Verdict.ON


class Prediction(models.Model):
    """How likely an open lead reaches the outcome within the horizon, as of `predicted_at`.

    Derived: predicting.py may write it anew at any time, and never touches an override.
    """

    lead = models.OneToOneField(
        Lead, on_delete=models.CASCADE, primary_key=True, related_name="prediction"
    )
    training = models.ForeignKey(Training, on_delete=models.CASCADE, related_name="predictions")
    probability = models.FloatField(_("probability"))
    # [{"field": …, "value": …, "effect": log-odds}, …], the strongest first.
    reasons = models.JSONField(default=list)
    predicted_at = models.DateTimeField(_("predicted"))

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(probability__gte=0.01, probability__lte=0.99),
                name="scoring_prediction_clamped",
            )
        ]

    def __str__(self) -> str:
        return f"lead {self.lead_id}: {self.probability:.2f}"


class PredictionOverride(models.Model):
    """What a colleague knows better than the model. Holds until somebody takes it back."""

    lead = models.OneToOneField(
        Lead, on_delete=models.CASCADE, primary_key=True, related_name="prediction_override"
    )
    probability = models.FloatField(
        _("probability"), validators=[MinValueValidator(0.0), MaxValueValidator(1.0)]
    )
    reason = models.CharField(_("reason"), max_length=300)
    overridden_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    overridden_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(probability__gte=0, probability__lte=1),
                name="scoring_override_probability",
            )
        ]

    def __str__(self) -> str:
        return f"lead {self.lead_id}: {self.probability:.2f}"
