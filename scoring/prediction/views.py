"""The predictive score, its trainings, and the workbench for imported files."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from leads import importing
from leads.actors import Actor
from leads.import_forms import UploadForm
from leads.import_models import Import
from leads.models import Lead
from leads.refusals import Conflict, Refused
from scoring.models import Training
from scoring.prediction import asking, overriding, queries
from scoring.prediction.forms import OutcomeForm, OverrideForm, TrainingForm, WorkbenchForm
from users.requests import PageRequest


def _see_other(url: str) -> HttpResponse:
    """303: the write is done, look there."""
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response


def _status_of(refusal: Refused) -> int:
    return 409 if isinstance(refusal, Conflict) else 422


# --- the predictive score ------------------------------------------------------------------


@require_GET
def prediction(request: PageRequest) -> HttpResponse:
    """On or off and why, the figures, and the trainings so far."""
    return _prediction(request, TrainingForm())


def _prediction(
    request: PageRequest, form: TrainingForm, refusal: str = "", status: int = 200
) -> HttpResponse:
    governing = Training.objects.governing()
    unfinished = queries.unfinished()
    context = {
        "report": queries.report_of(governing) if governing else None,
        "unfinished": unfinished,
        "step": queries.step_words(unfinished) if unfinished else "",
        "history": queries.trainings_of_leads(),
        "form": form,
        "refusal": refusal,
    }
    return render(request, "scoring/prediction/prediction.html", context, status=status)


@require_POST
def train(request: PageRequest) -> HttpResponse:
    """Ask for a training on the product's own leads."""
    form = TrainingForm(request.POST)
    if not form.is_valid():
        return _prediction(request, form, status=422)
    try:
        asking.train_on_leads(**form.cleaned_data, by=Actor.of(request.user))
    except Refused as refusal:
        return _prediction(request, form, str(refusal), _status_of(refusal))
    return _see_other(reverse("scoring:prediction"))


@require_GET
def training(request: PageRequest, pk: int) -> HttpResponse:
    """One training: its progress, then its report."""
    return _training(request, _training_or_404(pk))


def _training_or_404(pk: int) -> Training:
    rows = Training.objects.defer("model").select_related("requested_by", "file")
    return get_object_or_404(rows, pk=pk)


def _training(
    request: PageRequest, job: Training, refusal: str = "", status: int = 200
) -> HttpResponse:
    is_done = job.state == Training.State.FINISHED
    context = {
        "training": job,
        "report": queries.report_of(job) if is_done else None,
        "step": queries.step_words(job),
        "refusal": refusal,
    }
    return render(request, "scoring/prediction/training.html", context, status=status)


@require_POST
def next_attempt(request: PageRequest, pk: int) -> HttpResponse:
    """Let a training that stopped begin anew."""
    job = _training_or_404(pk)
    try:
        asking.try_again(pk, by=Actor.of(request.user))
    except Refused as refusal:
        return _training(request, job, str(refusal), _status_of(refusal))
    return _see_other(reverse("scoring:training", args=[pk]))


# --- the workbench -------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
def workbench(request: PageRequest) -> HttpResponse:
    """Files to learn from, a way to upload one, and what was learned from others."""
    form, status = UploadForm(), 200
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES)
        job = _uploaded(request, form)
        if job is not None:
            return _see_other(reverse("scoring:workbench_file", args=[job.pk]))
        status = 422
    context = {
        "form": form,
        "files": queries.files_for(request.user),
        "trainings": queries.trainings_of_files(),
    }
    return render(request, "scoring/prediction/workbench.html", context, status=status)


def _uploaded(request: PageRequest, form: UploadForm) -> Import | None:
    if not form.is_valid():
        return None
    upload = form.cleaned_data["file"]
    try:
        return importing.upload(upload.read(), upload.name, by=Actor.of(request.user))
    except Refused as refusal:
        form.add_error("file", str(refusal))
        return None


@require_http_methods(["GET", "POST"])
def workbench_file(request: PageRequest, pk: int) -> HttpResponse:
    """Which column is the outcome (`?outcome=`), then what its values mean; POST trains."""
    visible = Import.objects.visible_to(request.user).defer("sample", "mapping")
    job = get_object_or_404(visible, pk=pk)
    said = request.POST if request.method == "POST" else request.GET
    chosen = OutcomeForm(job, {"outcome": said.get("outcome", "")})
    outcome = {c.name: c for c in importing.columns_of(job)}.get(said.get("outcome", ""))
    form, status = None, 200
    if outcome is not None and chosen.is_valid():
        form = WorkbenchForm(job, outcome, request.POST if request.method == "POST" else None)
    if request.method == "POST":
        started = _start(request, job, form) if form is not None else None
        if started is not None:
            return _see_other(reverse("scoring:training", args=[started.pk]))
        status = 422
    shown = chosen if said.get("outcome") else OutcomeForm(job)
    context = {"job": job, "chosen": shown, "form": form}
    return render(request, "scoring/prediction/workbench_file.html", context, status=status)


def _start(request: PageRequest, job: Import, form: WorkbenchForm) -> Training | None:
    if not form.is_valid():
        return None
    try:
        return asking.train_on_file(job.pk, form.to_choices(), by=Actor.of(request.user))
    except Refused as refusal:
        form.add_error(None, str(refusal))
        return None


# --- what a colleague knows better ---------------------------------------------------------


def _on_lead(verb: Callable[[PageRequest, int], None]) -> Callable[..., HttpResponse]:
    """A view that carries out a verb on a visible lead and shows the lead again."""

    @require_POST
    def view(request: PageRequest, pk: int) -> HttpResponse:
        lead = get_object_or_404(Lead.objects.visible_to(request.user), pk=pk)
        try:
            verb(request, lead.pk)
        except Refused as refusal:
            messages.error(request, str(refusal))
        return _see_other(reverse("leads:lead", args=[pk]))

    return view


def _override(request: PageRequest, lead_id: int) -> None:
    form = OverrideForm(request.POST)
    if not form.is_valid():
        raise Refused(" ".join(str(error) for errors in form.errors.values() for error in errors))
    said = form.cleaned_data
    overriding.override(lead_id, said["percent"] / 100, said["reason"], by=Actor.of(request.user))


def _take_back(request: PageRequest, lead_id: int) -> None:
    overriding.take_back(lead_id, by=Actor.of(request.user))


override = _on_lead(_override)
override_end = _on_lead(_take_back)
