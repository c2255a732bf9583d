"""One write key: what it is good for, and its successor."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from leads.actors import Actor
from leads.refusals import Refused
from tracking.forms import KeyLimitsForm
from tracking.keys import restrict_key, rotate_key
from tracking.models import WriteKey
from users.requests import PageRequest

_SHOWN = "secret_key_to_show"  # in the session, until the page that shows it was answered


@require_http_methods(["GET", "HEAD", "POST"])
def key(request: PageRequest, pk: int) -> HttpResponse:
    """What the key is good for; POST changes it."""
    row = get_object_or_404(WriteKey.objects.select_related("source", "replaces"), pk=pk)
    initial = {
        "allowed_origins": "\n".join(row.allowed_origins),
        **dict.fromkeys(row.scopes, True),
        "per_second": row.per_second,
        "burst": row.burst,
    }
    form = KeyLimitsForm(request.POST or None, initial=initial, is_secret=row.is_secret)
    if request.method == "POST" and form.is_valid():
        try:
            restrict_key(row.pk, **form.limits(), by=Actor.of(request.user))
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, _("Saved. It is in force within five seconds."))
            return redirect("tracking:key", row.pk)
    context = {"key": row, "form": form, "successors": row.successors.order_by("pk")}
    return render(request, "tracking/key.html", context, status=422 if form.errors else 200)


def show_once(request: PageRequest, row: WriteKey, text: str) -> HttpResponse:
    """Lead to the page that shows a new secret key: loading that again makes no second one."""
    request.session[_SHOWN] = {"id": row.pk, "key": text}
    return redirect("tracking:secret_key", row.pk)


@require_safe
@never_cache
def secret_key(request: PageRequest, pk: int) -> HttpResponse:
    """A secret key that was made a moment ago, once; afterwards that it cannot be shown."""
    row = get_object_or_404(WriteKey.objects.select_related("source"), pk=pk)
    made = request.session.pop(_SHOWN, None)
    if made is None or made["id"] != pk:
        messages.info(request, _("A secret key is shown once. Make another one if it is lost."))
        return redirect("tracking:key", pk)
    context = {"source": row.source, "key": made["key"]}
    return render(request, "tracking/secret_key.html", context)


@require_POST
def rotation(request: PageRequest, pk: int) -> HttpResponse:
    """Make the successor of a key. A secret one is shown on the next page and never again."""
    old = get_object_or_404(WriteKey, pk=pk)
    try:
        new, text = rotate_key(pk, by=Actor.of(request.user))
    except Refused as refusal:
        messages.error(request, str(refusal))
        return redirect("tracking:key", pk)
    if new.is_secret:
        return show_once(request, new, text)
    said = _("%(new)s… takes the place of %(old)s…. Both hold until you revoke the old one.")
    messages.success(request, said % {"new": new.prefix, "old": old.prefix})
    return redirect("tracking:key", new.pk)
