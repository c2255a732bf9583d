"""The pages of an import: history and upload, mapping, progress, report."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import (
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from leads import import_queries, importing
from leads.actors import Actor
from leads.audit import record
from leads.import_forms import MappingForm, StartOverForm, UploadForm
from leads.import_models import Import
from leads.paging import row_number
from leads.refusals import Conflict, Refused
from users.requests import PageRequest

PAGE_SIZE = 25


def _see_other(name: str, pk: int) -> HttpResponse:
    """303: the write is done, look there."""
    response = HttpResponseRedirect(reverse(f"imports:{name}", args=[pk]))
    response.status_code = 303
    return response


def _visible(request: PageRequest, pk: int) -> Import:
    imports = Import.objects.visible_to(request.user).select_related("created_by", "content")
    return get_object_or_404(imports.defer("content__data"), pk=pk)


@require_http_methods(["GET", "POST"])
def import_list(request: PageRequest) -> HttpResponse:
    """The history of imports, and the way to a new one."""
    form = UploadForm(request.POST or None, request.FILES or None)
    status = 200
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES)
        job = _upload(request, form)
        if job is not None:
            return _see_other("mapping", job.pk)
        status = 422
    imports = Import.objects.visible_to(request.user).select_related("created_by")
    page = Paginator(imports.defer("columns", "sample", "mapping"), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    context = {"form": form, "page": page}
    return render(request, "imports/list.html", context, status=status)


def _upload(request: PageRequest, form: UploadForm) -> Import | None:
    if not form.is_valid():
        return None
    upload = form.cleaned_data["file"]
    try:
        return importing.upload(upload.read(), upload.name, by=Actor.of(request.user))
    except Refused as refusal:
        form.add_error("file", str(refusal))
        return None


@require_GET
def import_page(request: PageRequest, pk: int) -> HttpResponse:
    """Progress and result; htmx asks for the changing part only."""
    job = _visible(request, pk)
    if job.state == Import.State.MAPPING and not request.htmx:
        return HttpResponseRedirect(reverse("imports:mapping", args=[pk]))
    template = "imports/import.html#progress" if request.htmx else "imports/import.html"
    return render(request, template, _result(job))


def _result(job: Import) -> dict:
    is_shown = not job.is_working and bool(job.tally)
    return {
        "job": job,
        "note_counts": import_queries.note_counts(job) if is_shown else [],
        "problems": import_queries.problems(job) if is_shown else [],
        "has_content": import_queries.has_content(job),
    }


@require_http_methods(["GET", "POST"])
def mapping_page(request: PageRequest, pk: int) -> HttpResponse:
    """Columns, their meaning, and the first rows as they would be imported."""
    job = _visible(request, pk)
    if job.has_begun or job.is_working:
        return HttpResponseRedirect(reverse("imports:import", args=[pk]))
    if request.method == "GET":
        return _mapping(request, job, MappingForm(job))
    form = MappingForm(job, request.POST)
    if not form.is_valid():
        return _mapping(request, job, form, status=422)
    preset = "" if form.to_mapping() != form.mapping else job.preset
    try:
        job = importing.save_mapping(pk, form.to_mapping(), preset=preset)
    except Refused as refusal:
        return _mapping(request, job, form, refusal=str(refusal), status=422)
    if "check" in request.POST:
        return _check_mapped(request, job)
    again = request.POST.get("again", "")
    shown = MappingForm(job, again=row_number(again))
    return _mapping(request, job, shown)


def _check_mapped(request: PageRequest, job: Import) -> HttpResponse:
    try:
        importing.start_check(job.pk)
    except Refused as refusal:
        return _mapping(request, job, MappingForm(job), refusal=str(refusal), status=422)
    return _see_other("import", job.pk)


def _mapping(
    request: PageRequest, job: Import, form: MappingForm, *, refusal: str = "", status: int = 200
) -> HttpResponse:
    template = "imports/mapping.html#mapping" if request.htmx else "imports/mapping.html"
    context = {
        "job": job,
        "form": form,
        "start_over": StartOverForm(job),
        "missing": importing.what_is_missing(job),
        "preview": import_queries.preview(job),
        "refusal": refusal,
    }
    return render(request, template, context, status=status)


def _post(verb: Callable[[int], Import]) -> Callable[..., HttpResponseBase]:
    """A view that carries out one verb and shows the import again, or the refusal on it."""

    @require_POST
    def view(request: PageRequest, pk: int) -> HttpResponseBase:
        job = _visible(request, pk)
        try:
            verb(job.pk)
        except Refused as refusal:
            job.refresh_from_db()
            context = {**_result(job), "refusal": str(refusal)}
            status = 409 if isinstance(refusal, Conflict) else 422
            return render(request, "imports/import.html", context, status=status)
        return _see_other("import", pk)

    return view


start_check = _post(importing.start_check)
start_run = _post(importing.start_run)
cancel = _post(importing.cancel)
try_again = _post(importing.try_again)


@require_POST
def beginning(request: PageRequest, pk: int) -> HttpResponse:
    """Begin the mapping anew: with a shipped one, or for another target."""
    job = _visible(request, pk)
    form = StartOverForm(job, request.POST)
    if form.is_valid():
        try:
            importing.start_over(pk, **form.keywords())
        except Refused as refusal:
            messages.error(request, str(refusal))
    return _see_other("mapping", pk)


@require_GET
def report(request: PageRequest, pk: int) -> HttpResponseBase:
    """Each row there is something to say about, as it came, with the reason."""
    job = _visible(request, pk)
    if not import_queries.has_content(job):
        context = {**_result(job), "refusal": _("The file itself is no longer kept.")}
        return render(request, "imports/import.html", context, status=422)
    record(Actor.of(request.user), "exported", object_kind="import", object_id=job.pk)
    response = StreamingHttpResponse(
        import_queries.report_lines(job), content_type="text/csv; charset=utf-8"
    )
    name = f"{job.file_name.rsplit('.', 1)[0]}-report.csv"
    response["Content-Disposition"] = content_disposition_header(True, name)
    return response
