"""The quadrant page: fit × interest of all leads, with cuts to try out."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from leads.filters import LeadFilter
from leads.models import LeadQuerySet, Standing
from leads.paging import LEAD_SORTS, read_page, row_number
from leads.queries import as_rows, count_up_to
from scoring import quadrants
from scoring.models import ModelVersion
from scoring.quadrant_forms import QuadrantForm, WindowForm
from scoring.quadrant_tables import band_table, quadrant_rows
from scoring.quadrants import Window
from users.requests import PageRequest


def _active() -> ModelVersion | None:
    return ModelVersion.objects.active()


@require_GET
def page(request: PageRequest) -> HttpResponse:
    """Page and fragment in one: htmx asks for the figures only."""
    version = _active()
    if version is None:
        return render(request, "scoring/quadrants.html")
    form = QuadrantForm(request.GET, user=request.user, version=version)
    leads = quadrants.scored_leads(request.user, form.wanted())
    found = quadrants.figures(leads, version, form.cuts)
    context = {
        "version": version,
        "form": form,
        "cuts": form.cuts,
        "figures": found,
        "rows": quadrant_rows(found),
        "bands": band_table(found),
        "plane": _plane(_whole(request, version), version),
    }
    template = "scoring/quadrants.html#figures" if request.htmx else "scoring/quadrants.html"
    return render(request, template, context)


def _whole(request: PageRequest, version: ModelVersion) -> Window:
    """The same plane whatever is filtered."""
    return quadrants.whole_plane(quadrants.scored_leads(request.user, LeadFilter()), version)


def _plane(whole: Window, version: ModelVersion) -> dict[str, Any]:
    """What the script needs to draw: the edges, and the version's own cuts, in points."""
    return {
        "fit": [float(whole.fit_from), float(whole.fit_to)],
        "interest": [float(whole.interest_from), float(whole.interest_to)],
        "cuts": {
            "fit_cut": float(version.fit_cut),
            "interest_cut": float(version.interest_cut),
            "threshold": float(version.threshold),
        },
        "columns": quadrants.COLUMNS,
        "rows": quadrants.ROWS,
        "words": {
            "fit": _("Fit"),
            "interest": _("Interest"),
            "fit_cut": _("Fit is high from"),
            "interest_cut": _("Interest is high from"),
            "threshold": _("Threshold"),
            "bin": _("fit %(fit)s, interest %(interest)s: leads %(n)s"),
            "quadrants": {key: str(label) for key, label in Standing.Quadrant.choices},
        },
    }


@require_GET
def picture(request: PageRequest) -> JsonResponse:
    """Bins of a window, and single leads when they are few; points are numbers."""
    version = _active()
    if version is None:
        raise Http404
    form = QuadrantForm(request.GET, user=request.user, version=version)
    leads = quadrants.scored_leads(request.user, form.wanted())
    window = WindowForm(request.GET).window() or _whole(request, version)
    found = quadrants.picture(leads, window)
    dots = found.dots
    return JsonResponse(
        {
            "fit": [float(window.fit_from), float(window.fit_to)],
            "interest": [float(window.interest_from), float(window.interest_to)],
            "count": found.count,
            "bins": found.bins,
            "dots": dots and [[pk, name, float(fit), float(i)] for pk, name, fit, i in dots],
        }
    )


@require_GET
def leads(request: PageRequest) -> HttpResponse:
    """The leads behind a figure, as many as it says. `?whom=`: a quadrant or a change; else all."""
    version = _active()
    whom = request.GET.get("whom", "")
    if version is None:
        raise Http404
    form = QuadrantForm(request.GET, user=request.user, version=version)
    found = _behind(quadrants.scored_leads(request.user, form.wanted()), version, form, whom)
    listed = read_page(
        as_rows(found),
        LEAD_SORTS["score"],
        after=row_number(request.GET.get("after")),
        before=row_number(request.GET.get("before")),
    )
    context = {
        "page": listed,
        "count": count_up_to(found),
        "heading": _heading(whom),
        "form": form,
        "cuts": form.cuts,
    }
    return render(request, "scoring/quadrant_leads.html", context)


def _behind(
    found: LeadQuerySet, version: ModelVersion, form: QuadrantForm, whom: str
) -> LeadQuerySet:
    changes = {
        "promising": quadrants.promising_leads,
        "entering": quadrants.entering_leads,
        "leaving": quadrants.leaving_leads,
    }
    if whom in changes:
        return changes[whom](found, version, form.cuts)
    if whom in Standing.Quadrant.values:
        return quadrants.leads_in_quadrant(found, form.cuts, whom)
    if whom:
        raise Http404
    return found


def _heading(whom: str) -> str:
    changes = {
        "": _("All scored leads"),
        "promising": _("Promising leads"),
        "entering": _("Leads that would become promising"),
        "leaving": _("Leads that would no longer be promising"),
    }
    return changes.get(whom) or str(Standing.Quadrant(whom).label)
