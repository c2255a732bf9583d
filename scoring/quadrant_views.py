"""The quadrant page: fit × interest of all leads, with cuts to try out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from leads.filters import LeadFilter
from leads.models import LeadQuerySet, Standing
from leads.paging import LEAD_SORTS, read_page, row_number
from leads.queries import as_rows, count_up_to
from scoring import quadrant_lists, quadrants
from scoring.models import ModelVersion
from scoring.quadrant_cells import Crowd, crowd_of
from scoring.quadrant_forms import QuadrantForm, WindowForm
from scoring.quadrant_tables import band_table, quadrant_rows
from scoring.quadrants import Window
from users.requests import PageRequest


@dataclass(frozen=True)
class Asked:
    """What a request asks for: whose picture, by which of the versions that score anybody."""

    version: ModelVersion
    versions: list[ModelVersion]
    form: QuadrantForm
    leads: LeadQuerySet
    everybody: LeadQuerySet


def _read(request: PageRequest) -> Asked | None:
    """None while no version scores anybody. `?version=`: its number, else the first one."""
    versions = quadrants.scoring_versions()
    if not versions:
        return None
    number = row_number(request.GET.get("version"))
    version = next((known for known in versions if known.number == number), versions[0])
    form = QuadrantForm(request.GET, user=request.user, version=version)
    only_by = version if len(versions) > 1 else None
    return Asked(
        version,
        versions,
        form,
        leads=quadrants.scored_leads(request.user, form.wanted(), only_by),
        everybody=quadrants.scored_leads(request.user, LeadFilter(), only_by),
    )


@require_GET
def page(request: PageRequest) -> HttpResponse:
    """Page and fragment in one: htmx asks for the figures only."""
    asked = _read(request)
    if asked is None:
        return render(request, "scoring/quadrants.html")
    crowd = crowd_of(asked.leads, asked.version)
    found = quadrants.figures(asked.leads, asked.version, asked.form.cuts, crowd)
    context = {
        "version": asked.version,
        "versions": asked.versions,
        "form": asked.form,
        "cuts": asked.form.cuts,
        "figures": found,
        "rows": quadrant_rows(found),
        "bands": band_table(crowd),
    }
    if request.htmx:
        return render(request, "scoring/quadrants.html#figures", context)
    context["plane"] = _plane(_whole(asked, crowd), asked.version)
    return render(request, "scoring/quadrants.html", context)


def _whole(asked: Asked, crowd: Crowd) -> Window:
    """The same plane whatever is filtered."""
    if asked.form.wanted() != LeadFilter():
        crowd = crowd_of(asked.everybody, asked.version)
    return quadrants.whole_plane(crowd, asked.version)


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
    asked = _read(request)
    if asked is None:
        raise Http404
    crowd = crowd_of(asked.leads, asked.version)
    whole = _whole(asked, crowd)
    window = WindowForm(request.GET).window() or whole
    if window == whole:
        found = quadrants.whole_picture(asked.leads, crowd, whole)
    else:
        found = quadrants.picture(asked.leads, window)
    dots = found.dots
    return JsonResponse(
        {
            "fit": [float(window.fit_from), float(window.fit_to)],
            "interest": [float(window.interest_from), float(window.interest_to)],
            "columns": found.columns,
            "rows": found.rows,
            "count": found.count,
            "bins": found.bins,
            "dots": dots and [[pk, name, float(fit), float(i)] for pk, name, fit, i in dots],
        }
    )


@require_GET
def leads(request: PageRequest) -> HttpResponse:
    """The leads behind a figure, as many as it says. `?whom=`: a quadrant or a change; else all."""
    asked, whom = _read(request), request.GET.get("whom", "")
    if asked is None:
        raise Http404
    found = _behind(asked, whom)
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
        "form": asked.form,
        "cuts": asked.form.cuts,
    }
    return render(request, "scoring/quadrant_leads.html", context)


def _behind(asked: Asked, whom: str) -> LeadQuerySet:
    cuts = asked.form.cuts
    changes = {
        "promising": quadrant_lists.promising_leads,
        "entering": quadrant_lists.entering_leads,
        "leaving": quadrant_lists.leaving_leads,
    }
    if whom in changes:
        return changes[whom](asked.leads, asked.version, cuts)
    if whom in Standing.Quadrant.values:
        return quadrant_lists.leads_in_quadrant(asked.leads, cuts, whom)
    if whom:
        raise Http404
    return asked.leads


def _heading(whom: str) -> str:
    changes = {
        "": _("All scored leads"),
        "promising": _("Promising leads"),
        "entering": _("Leads that would become promising"),
        "leaving": _("Leads that would no longer be promising"),
    }
    return changes.get(whom) or str(Standing.Quadrant(whom).label)
