"""The list of leads and its export."""

from __future__ import annotations

from collections.abc import Iterator

from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from leads import queries
from leads.audit import record_export
from leads.csv_cells import csv_pieces
from leads.filter_forms import LeadFilterForm
from leads.merging_rules import OPERATORS
from leads.paging import LEAD_SORTS, read_page, row_number
from users.requests import PageRequest


def lead_list(request: PageRequest) -> HttpResponse:
    """Page and fragment in one: htmx asks for the table only."""
    form = LeadFilterForm(request.GET, user=request.user)
    leads = queries.leads_for(request.user, form.wanted())
    page = read_page(
        queries.as_rows(leads),
        LEAD_SORTS[form.chosen_sort],
        after=row_number(request.GET.get("after")),
        before=row_number(request.GET.get("before")),
    )
    template = "leads/list.html#results" if request.htmx else "leads/list.html"
    context = {"form": form, "page": page, "count": queries.count_up_to(leads)}
    if not request.htmx:
        context["may_merge"] = request.user.role in OPERATORS
        context["known_sources"] = queries.known_values("source", request.user)
    return render(request, template, context)


def lead_export(request: PageRequest) -> StreamingHttpResponse:
    """The same filter as a CSV file, as long as it takes."""
    form = LeadFilterForm(request.GET, user=request.user)
    leads = queries.leads_for(request.user, form.wanted())
    record_export(request.user, request.GET.dict())
    response = StreamingHttpResponse(_export_lines(leads), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="leads-{localdate():%Y-%m-%d}.csv"'
    return response


def _export_lines(leads) -> Iterator[str]:
    header = [
        *(_("Lead"), _("First name"), _("Last name"), _("E-mail"), _("Title"), _("Company")),
        *(_("Account"), _("Country"), _("Channel"), _("Source"), _("Owner"), _("Stage")),
        *(_("In stage since"), _("Score"), _("Fit"), _("Interest"), _("Quadrant")),
        *(_("Last activity"), _("Created"), _("Last touch"), _("Time of the last touch")),
    ]
    return csv_pieces(header, (queries.export_row(lead) for lead in queries.in_batches(leads)))
