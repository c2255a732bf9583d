"""What the pages of the predictive score show. Reads only; nothing here needs numpy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from leads import importing
from leads.import_models import Import
from leads.models import Lead
from scoring.models import Prediction, PredictionOverride, Training
from scoring.prediction import diagrams, wording
from scoring.prediction.choices import FileChoices
from scoring.prediction.wording import Labels, Reason
from users.models import User

HISTORY = 20
FEWEST_LABELLED = 100  # learning.FEWEST_LABELLED, which pages cannot import without numpy


@dataclass(frozen=True)
class Rival:
    """Another score on the same hold-out."""

    label: str
    auc: float
    auc_low: float
    auc_high: float
    lift: float


@dataclass(frozen=True)
class Moved:
    label: str
    index: float


@dataclass(frozen=True)
class Report:
    """A finished training for the page. `figures` as in metrics.figures, {} without a model.

    `suspect`: the field to leave out first, while the result of a file is too good to be true;
    `without`: the form that trains once more without such fields, as pairs of name and value.
    """

    training: Training
    sentence: str
    counts: dict[str, int]
    figures: dict[str, Any]
    dots: list[diagrams.Dot]
    bars: list[diagrams.Bar]
    leaks: list[str]
    suspect: str
    without: list[tuple[str, str]]
    rivals: list[Rival]
    kind: str
    dropped: list[str]
    window: list[datetime]
    moved: list[Moved]


def report_of(training: Training) -> Report:
    """One query for the words of signals, none for a file."""
    is_own = training.source == Training.Source.LEADS
    labels = Labels.of_leads() if is_own else Labels({})
    said = training.report
    figures = said.get("figures", {})
    suspect = _suspect(training)
    importance = [(labels.of(one["field"]), one["loss"]) for one in said.get("importance", [])]
    return Report(
        training=training,
        sentence=_too_good(suspect) if suspect else _sentence(training),
        counts=said.get("counts", {}),
        figures=figures,
        dots=diagrams.reliability(figures.get("reliability", [])),
        bars=diagrams.bars(importance),
        leaks=[wording.leak_words(leak, labels) for leak in said.get("leaks", [])],
        suspect=suspect,
        without=_without_leaks(training) if suspect else [],
        rivals=[_rival(one, said) for one in said.get("rivals", []) if one["auc"] is not None],
        kind=str(wording.KINDS.get(said.get("chosen", ""), "")),
        dropped=[labels.of(name) for name in said.get("dropped", [])],
        window=[at for text in said.get("window", []) if (at := parse_datetime(text))],
        moved=[
            Moved(labels.of(one["field"]), one["index"])
            for one in training.drift.get("inputs", [])
            if one["index"] > 0.25
        ],
    )


def _suspect(training: Training) -> str:
    """Of a file that seems to have a signal, the field that knows too much the most, or ""."""
    leaks = training.report.get("leaks", [])
    is_file = training.source == Training.Source.IMPORT
    return leaks[0]["field"] if leaks and is_file and training.is_on else ""


def _too_good(field: str) -> str:
    return _(
        "As long as “%(field)s” counts, this says nothing about new rows. Leave it out first and "
        "train again: what is left then is the signal."
    ) % {"field": field}


def _without_leaks(training: Training) -> list[tuple[str, str]]:
    """What the form of the file would be sent with, [] when the file is gone."""
    job = training.file
    if job is None:
        return []
    choices = FileChoices.from_json(training.params)
    named = [leak["field"] for leak in training.report["leaks"]]
    means = dict.fromkeys(choices.reached, "reached") | dict.fromkeys(choices.missed, "missed")
    outcome = next(c for c in importing.columns_of(job) if c.name == choices.outcome)
    said = [(f"value_{n}", means.get(value, "")) for n, value in enumerate(outcome.values)]
    said += [("left_out", name) for name in dict.fromkeys((*choices.left_out, *named))]
    plain = ("outcome", "order", "date_order")
    return [(name, getattr(choices, name)) for name in plain] + said


def _rival(rival: dict[str, Any], said: dict[str, Any]) -> Rival:
    numbers = ", ".join(map(str, said.get("rules_versions", [])))
    label = _("Score by rules, version %(number)s") % {"number": numbers}
    return Rival(label, rival["auc"], rival["auc_low"], rival["auc_high"], rival["lift"] or 0.0)


def _sentence(training: Training) -> str:
    """Why it is on or off, in one sentence."""
    counts = training.report.get("counts", {})
    if training.verdict == Training.Verdict.ON:
        return _("On the newest rows, which it had not seen, it ranks clearly better than chance.")
    if training.verdict == Training.Verdict.NO_SIGNAL:
        return _(
            "No signal: on the newest rows, which it had not seen, it does not rank clearly better "
            "than chance. So it stays off."
        )
    if counts.get("labelled", 0) < FEWEST_LABELLED:
        return _(
            "Not enough data: %(count)s rows have a known outcome, at least %(fewest)s are needed. "
            "So it stays off."
        ) % {"count": counts.get("labelled", 0), "fewest": FEWEST_LABELLED}
    return _(
        "Not enough data: of each outcome at least 10 rows are needed among the older ones and "
        "among the newest. So it stays off."
    )


def trainings_of_leads() -> QuerySet[Training]:
    rows = Training.objects.of_leads().select_related("requested_by")
    return rows.defer("model", "report")[:HISTORY]


def trainings_of_files() -> QuerySet[Training]:
    rows = Training.objects.filter(source=Training.Source.IMPORT).select_related("requested_by")
    return rows.defer("model", "report")[:HISTORY]


def files_for(user: User) -> QuerySet[Import]:
    """Uploaded files whose contents are still kept, newest first."""
    kept = Import.objects.visible_to(user).filter(content__isnull=False)
    return kept.only("file_name", "row_count", "created_at", "state")[:HISTORY]


def unfinished() -> Training | None:
    """The training on own leads that waits, runs or stopped; the newest one only."""
    newest = Training.objects.of_leads().defer("model", "report").order_by("-pk").first()
    return newest if newest and newest.state != Training.State.FINISHED else None


def step_words(training: Training) -> str:
    return str(wording.STEPS.get(training.step, _("Waiting for a free worker")))


@dataclass(frozen=True)
class Panel:
    """The prediction on a lead's page. `percent` is what counts: the override, if there is one."""

    lead: Lead
    percent: float
    model_percent: float | None
    predicted_at: datetime | None
    reasons: list[Reason]
    training: Training
    override: PredictionOverride | None


def panel(lead: Lead) -> Panel | None:
    """None while the predictive score is off, or when there is nothing to say of this lead."""
    training = Training.objects.governing()
    if training is None or not training.is_on:
        return None
    prediction = Prediction.objects.filter(lead=lead, training=training).first()
    rows = PredictionOverride.objects.filter(lead=lead).select_related("overridden_by")
    override = rows.first()
    if prediction is None and override is None:
        return None
    chance = override.probability if override else prediction.probability  # type: ignore[union-attr]
    return Panel(
        lead=lead,
        percent=100 * chance,
        model_percent=100 * prediction.probability if prediction else None,
        predicted_at=prediction.predicted_at if prediction else None,
        reasons=(
            wording.reasons_in_words(prediction.reasons, Labels.of_leads()) if prediction else []
        ),
        training=training,
        override=override,
    )
