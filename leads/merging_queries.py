"""What the pages about merges and duplicates read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from leads import merging_evidence, merging_fields, merging_rules
from leads.actors import Actor
from leads.filters import search
from leads.merging_fields import Line
from leads.models import BuyingRole, Lead, LeadQuerySet, Merge
from leads.refusals import Refused
from users.models import User

MOST_CANDIDATES = 12

# What else follows from a merge, in sentences, by apps above: (survivor, loser) → sentences.
Consequences = Callable[[Lead, Lead], list[str]]
_consequences: list[Consequences] = []


def register_consequences(consequences: Consequences) -> None:
    if consequences not in _consequences:
        _consequences.append(consequences)


@dataclass(frozen=True)
class Comparison:
    """Two leads side by side. `objection` says why they cannot be merged this way round."""

    survivor: Lead
    loser: Lead
    lines: list[Line]
    consequences: list[str]
    objection: str
    seen: str


def compare(survivor: Lead, loser: Lead, user: User, chosen: dict[str, str]) -> Comparison:
    """`chosen` are choices made already; the others are suggested."""
    sides = merging_fields.suggested(survivor, loser) | chosen
    return Comparison(
        survivor,
        loser,
        merging_fields.lines(survivor, loser, sides),
        _all_consequences(survivor, loser),
        _objection(survivor, loser, user),
        merging_rules.fingerprint(survivor, loser),
    )


def _objection(survivor: Lead, loser: Lead, user: User) -> str:
    try:
        merging_rules.require_mergeable(survivor, loser, by=Actor.of(user))
    except Refused as refusal:
        return str(refusal)
    return ""


def _all_consequences(survivor: Lead, loser: Lead) -> list[str]:
    theirs = [sentence for told in _consequences for sentence in told(survivor, loser)]
    return [*_own_consequences(survivor, loser), *theirs]


def _own_consequences(survivor: Lead, loser: Lead) -> list[str]:
    names = {"survivor": survivor.name, "loser": loser.name}
    told = [
        _(
            "%(loser)s leaves the funnel as Merged and keeps its address, ids and history. "
            "Whoever looks for it is led to %(survivor)s from then on."
        )
        % names
    ]
    own = merging_evidence.newest_answers(survivor)
    for purpose, answer in merging_evidence.newest_answers(loser).items():
        if purpose not in own or own[purpose].given_at < answer.given_at:
            what = _("given") if answer.is_granted else _("withdrawn")
            told.append(
                _("Consent to %(purpose)s: the newer answer counts, “%(what)s”.")
                % {"purpose": answer.get_purpose_display(), "what": what}
            )
    if roles := _new_roles(survivor, loser):
        told.append(_("Buying roles that come along: %(roles)s.") % {"roles": ", ".join(roles)})
    return told


def _new_roles(survivor: Lead, loser: Lead) -> list[str]:
    kinds = BuyingRole.objects.filter(lead=loser).exclude(
        kind__in=survivor.buying_roles.values("kind")
    )
    return [str(BuyingRole.Kind(kind).label) for kind in kinds.values_list("kind", flat=True)]


def candidates(lead: Lead, user: User, text: str) -> list[Lead]:
    """Whom this lead could be merged with, by what somebody typed."""
    if not text.strip():
        return []
    others = search(Lead.objects.visible_to(user), text).filter(merged_into=None)
    return list(_named(others.exclude(pk=lead.pk)).order_by("pk")[:MOST_CANDIDATES])


def _named(leads: LeadQuerySet) -> LeadQuerySet:
    return leads.select_related("owner", "team", "account", "standing").defer("search")


def pair(user: User, survivor_id: int, loser_id: int) -> tuple[Lead, Lead] | None:
    """Both leads, if this user may see them."""
    leads = _named(Lead.objects.visible_to(user)).in_bulk([survivor_id, loser_id])
    survivor, loser = leads.get(survivor_id), leads.get(loser_id)
    return (survivor, loser) if survivor and loser and survivor != loser else None


def merges_shown(lead: Lead, user: User) -> list[Merge]:
    """Who was merged into this lead and still is, newest first; for operators."""
    if user.role not in merging_rules.OPERATORS or not getattr(lead, "has_merges", True):
        return []
    return list(lead.merges.filter(undone_at=None).select_related("loser"))


def open_merge_of(lead: Lead) -> Merge | None:
    """The merge that led this lead away; None when it is a lead of its own."""
    return lead.merged_by.filter(undone_at=None).select_related("survivor", "actor").first()
