"""What the pages of this app read. Every answer begins with what the user may see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import QuerySet

from leads.filters import LeadFilter
from leads.models import Lead, LeadQuerySet

COUNT_LIMIT = 10_000
# Seconds for which the values offered in filters may be stale.
OPTIONS_TTL = 300
MOST_OPTIONS = 200

ROW_FIELDS = (
    "email",
    "first_name",
    "last_name",
    "title",
    "company",
    "country",
    "channel",
    "source",
    "stage",
    "stage_entered_at",
    "is_stage_date_unknown",
    "cycle",
    "created_at",
    "not_before_on",
    "account__name",
    "owner__first_name",
    "owner__last_name",
    "owner__email",
    "standing__score",
    "standing__fit",
    "standing__interest",
    "standing__quadrant",
    "last_activity__at",
    "touch__last_channel",
    "touch__last_at",
)


def leads_for(user, wanted: LeadFilter) -> LeadQuerySet:
    """The leads this user may see that match the filter."""
    return wanted.apply(Lead.objects.visible_to(user))


def as_rows(leads: LeadQuerySet) -> LeadQuerySet:
    """With everything templates/leads/_table.html shows, in one query, and nothing more."""
    related = ("standing", "last_activity", "owner", "account", "touch")
    return leads.select_related(*related).only(*ROW_FIELDS)


@dataclass(frozen=True)
class Count:
    """How many, exact up to COUNT_LIMIT: counting further would cost more than it tells."""

    number: int
    is_exact: bool


def count_up_to(rows: QuerySet, limit: int = COUNT_LIMIT) -> Count:
    number = rows.order_by().values("pk")[: limit + 1].count()
    return Count(min(number, limit), number <= limit)


def known_values(field: str, user) -> list[str]:
    """The distinct values of a lead column among the leads that this user may see.

    For filter suggestions. Who sees every lead shares one answer, which may be minutes
    old; the few leads of everybody else are asked anew, because they change hands.
    """
    leads = Lead.objects.visible_to(user)
    if leads.query.where:
        return _distinct(leads, field)
    key = f"leads.known.{field}"
    values = cache.get(key)
    if values is None:
        values = _distinct(leads, field)
        cache.set(key, values, OPTIONS_TTL)
    return values


def _distinct(leads: LeadQuerySet, field: str) -> list[str]:
    rows = leads.exclude(**{field: ""}).order_by(field).values_list(field, flat=True)
    return list(rows.distinct()[:MOST_OPTIONS])


def in_batches(leads: LeadQuerySet, size: int = 2_000) -> Iterator[Lead]:
    """Every lead once, in many short queries: no statement runs into its time limit."""
    last_pk = 0
    while batch := list(as_rows(leads).filter(pk__gt=last_pk).order_by("pk")[:size]):
        yield from batch
        last_pk = batch[-1].pk


def export_row(lead: Lead) -> tuple:
    standing, touch = lead.standing, getattr(lead, "touch", None)
    return (
        *(lead.pk, lead.first_name, lead.last_name, lead.email, lead.title, lead.company),
        *(lead.account or "", str(lead.country), lead.channel, lead.source, lead.owner or ""),
        *(lead.stage, lead.stage_since, standing.score, standing.fit, standing.interest),
        *(standing.quadrant, lead.last_activity.at, lead.created_at),
        *((touch.last_channel, touch.last_at) if touch else ("", None)),
    )
