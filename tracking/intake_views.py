"""What came in and what became of it: the debugger, the books, and how long all is kept."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from leads.actors import Actor
from leads.refusals import Refused
from tracking import accounting, debugger, inspection, purging, retention
from tracking.forms import MendForm, RetentionForm
from tracking.models import InspectedMessage, RetentionSettings, Source
from users.requests import PageRequest


@require_safe
def messages_of(request: PageRequest, pk: int) -> HttpResponse:
    """The last messages of a source, refreshed by itself."""
    source = get_object_or_404(Source, pk=pk)
    only = request.GET.get("only", "")
    only = only if only in inspection.OUTCOMES else ""
    context = {
        "source": source,
        "only": only,
        "outcomes": inspection.OUTCOMES,
        "lines": inspection.lines_of(source, only),
    }
    return render(request, "tracking/messages.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def message(request: PageRequest, pk: int) -> HttpResponse:
    """One message; POST stores a refused one that was mended, or replays a quarantined one."""
    found = InspectedMessage.objects.select_related("source", "key", "quarantined")
    line = inspection.line_of(get_object_or_404(found, pk=pk))
    payload = inspection.readable_payload(line)
    is_rejected = line.message.outcome == inspection.Outcome.REJECTED
    form = MendForm(request.POST or None, initial={"message": line.message.payload})
    status = 200
    if request.method == "POST" and (not is_rejected or form.is_valid()):
        try:
            if is_rejected:
                debugger.mend(pk, form.cleaned_data["message"], by=Actor.of(request.user))
            else:
                debugger.replay(pk, by=Actor.of(request.user))
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("The message is stored."))
            return redirect("tracking:message", pk)
    if form.errors:
        status = 422
    context = {"line": line, "payload": payload, "form": form, "is_rejected": is_rejected}
    return render(request, "tracking/message.html", context, status=status)


@require_safe
def books(request: PageRequest) -> HttpResponse:
    """received = accepted + duplicate + rejected + quarantined, by source and day."""
    asked = request.GET.get("days", "")
    days = int(asked) if asked in map(str, accounting.PERIODS) else accounting.PERIODS[0]
    context = {"books": accounting.books(days), "days": days, "periods": accounting.PERIODS}
    return render(request, "tracking/books.html", context)


@require_safe
def retention_page(request: PageRequest) -> HttpResponse:
    """How long what is kept, what goes next and what went."""
    current = RetentionSettings.current()
    initial = {name: getattr(current, name) for name in retention.FIELDS}
    return _retention(request, RetentionForm(initial=initial))


@require_POST
def retention_settings(request: PageRequest) -> HttpResponse:
    """Change how long what is kept."""
    form = RetentionForm(request.POST)
    if form.is_valid():
        try:
            retention.set_retention(**form.cleaned_data, by=Actor.of(request.user))
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Saved. The next run goes by it."))
            return redirect("tracking:retention")
    return _retention(request, form)


def _retention(request: PageRequest, form: RetentionForm) -> HttpResponse:
    current = RetentionSettings.current()
    context = {
        "form": form,
        "current": current,
        "outlook": purging.outlook(current),
        "purged": purging.purged(),
        "waiting_count": purging.waiting_count(),
        "runs": purging.runs(),
    }
    return render(request, "tracking/retention.html", context, status=422 if form.errors else 200)
