"""The leads behind each figure of the quadrant page, exactly as many as it says."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q

from leads.models import LeadQuerySet, Standing
from scoring.models import LeadFeature, ModelVersion
from scoring.quadrant_cells import blocking_ordinals
from scoring.quadrants import Cuts


def leads_in_quadrant(leads: LeadQuerySet, cuts: Cuts, quadrant: str) -> LeadQuerySet:
    """Those whom these cuts put into a quadrant."""
    is_fit = Q(standing__fit__gte=cuts.fit)
    is_interested = Q(standing__interest__gte=cuts.interest)
    wants_fit = quadrant in (Standing.Quadrant.BOTH, Standing.Quadrant.FIT)
    wants_interest = quadrant in (Standing.Quadrant.BOTH, Standing.Quadrant.INTEREST)
    return leads.filter(
        is_fit if wants_fit else ~is_fit, is_interested if wants_interest else ~is_interested
    )


def promising_leads(leads: LeadQuerySet, version: ModelVersion, cuts: Cuts) -> LeadQuerySet:
    """Those who would be promising with these cuts."""
    return leads.filter(_is_promising(cuts)).exclude(_is_blocked(version))


def entering_leads(leads: LeadQuerySet, version: ModelVersion, cuts: Cuts) -> LeadQuerySet:
    """Those who would be promising with these cuts and are not with the version's."""
    return promising_leads(leads, version, cuts).exclude(_is_promising(Cuts.of(version)))


def leaving_leads(leads: LeadQuerySet, version: ModelVersion, cuts: Cuts) -> LeadQuerySet:
    """Those who are promising with the version's cuts and would not be with these."""
    return promising_leads(leads, version, Cuts.of(version)).exclude(_is_promising(cuts))


def _is_promising(cuts: Cuts) -> Q:
    return Q(
        standing__fit__gte=cuts.fit,
        standing__interest__gte=cuts.interest,
        standing__score__gte=cuts.threshold,
    )


def _is_blocked(version: ModelVersion) -> Q:
    features = LeadFeature.objects.filter(_any_holds(blocking_ordinals(version)))
    return Q(Exists(features.filter(lead=OuterRef("pk"))))


def _any_holds(ordinals: Iterable[int]) -> Q:
    holds = Q(pk__in=[])
    for ordinal in ordinals:
        # Django counts elements of an array from 0, PostgreSQL and ordinals from 1.
        holds |= Q(**{f"sums__{ordinal - 1}__gt": 0})
    return holds
