"""Leads, as something an import can bring."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads.imports.fields import EXTERNAL_ID, LEAD_FIELDS
from leads.imports.lead_planning import LeadPlanner
from leads.imports.mapping import Mapping
from leads.imports.targets import Target
from leads.imports.words import LEAD_WORDS


def missing(mapping: Mapping) -> Iterator[str]:
    """Without a key nobody could tell on the second import who is known already."""
    if not mapping.uses_to(EXTERNAL_ID, "email"):
        yield _("Map a column to the e-mail address or to an id, so that leads are found again.")


LEADS = Target(
    key="leads",
    label=gettext_lazy("Leads"),
    fields=LEAD_FIELDS,
    vocabulary=LEAD_WORDS,
    planner=LeadPlanner,
    missing=missing,
    custom_target="lead",
    view_name="leads:lead",
)
