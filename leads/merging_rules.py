"""Who may merge which two leads. Each refusal says what to do instead."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from django.utils.translation import gettext as _

from leads import merging_fields
from leads.actors import Actor
from leads.models import Lead, Merge
from leads.refusals import Conflict, Refused
from leads.stages import POSITION, Stage
from leads.survivors import spelled, survivor_of
from users.roles import Role

OPERATORS = frozenset({Role.MARKETER, Role.MANAGER, Role.ADMIN})

# What apps above have against merging a lead away: a sentence, or "" when nothing.
Objection = Callable[[Lead], str]
_objections: list[Objection] = []


def register_objection(objection: Objection) -> None:
    if objection not in _objections:
        _objections.append(objection)


def require_mergeable(survivor: Lead, loser: Lead, *, by: Actor) -> None:
    """Raises Refused with what stands against it. Both rows are locked."""
    require_operator(by, survivor, loser)
    if survivor.pk == loser.pk:
        raise Refused(_("A lead cannot be merged into itself. Choose two different leads."))
    for lead in (survivor, loser):
        refuse_merged(lead)
    _require_one_person(survivor, loser, by)
    _require_order(survivor, loser)
    for objection in _objections:
        if sentence := objection(loser):
            raise Refused(sentence)


def require_operator(by: Actor, *leads: Lead) -> None:
    """A user must have the role, and see all these leads; a manager sees the team's."""
    if by.user is None:
        return
    ids = {lead.pk for lead in leads}
    visible = Lead.objects.visible_to(by.user).filter(pk__in=ids)
    if by.role not in OPERATORS or visible.count() != len(ids):
        raise Refused(
            _("Marketers and admins merge leads, and sales managers those of their own team.")
        )


def refuse_merged(lead: Lead) -> None:
    """Raises Conflict when this lead, locked, has been merged into another one."""
    if lead.stage == Stage.MERGED:
        survivor = Lead.objects.get(pk=survivor_of(lead.pk))
        raise Conflict(
            _("%(name)s was merged into %(survivor)s (lead %(id)s). Go on there.")
            % {"name": lead.name, "survivor": survivor.name, "id": survivor.pk}
        )


def require_separable(merge: Merge, survivor: Lead, loser: Lead, *, by: Actor) -> None:
    """Raises Refused when this merge cannot be taken apart, or not now."""
    require_operator(by, survivor, loser)
    if not merge.is_open:
        raise Conflict(
            _("%(who)s was faster: this merge is taken apart already.")
            % {"who": merge.undone_by_label or _("Somebody")}
        )
    further = survivor.merged_into
    if further is not None:
        raise Refused(
            _("%(name)s itself was merged into %(further)s. Take that merge apart first.")
            % {"name": survivor.name, "further": further.name}
        )


def require_free_address(lead: Lead, email: str) -> None:
    """Raises Refused when somebody else has the address that this lead is to have again."""
    holder = spelled(email).exclude(stage=Stage.MERGED).exclude(pk=lead.pk).first()
    if holder is not None:
        raise Refused(
            _("%(holder)s has the e-mail address %(email)s now. Change it there first.")
            % {"holder": holder.name, "email": email}
        )


def fingerprint(survivor: Lead, loser: Lead) -> str:
    """Changes whenever one of the two does: the merge page carries what it showed."""
    columns = [
        column
        for choice in merging_fields.choices_for(survivor, loser)
        for column in choice.columns
    ]
    told = [
        (lead.pk, lead.episode_seq, *(str(merging_fields.read(lead, name)) for name in columns))
        for lead in (survivor, loser)
    ]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def require_as_seen(survivor: Lead, loser: Lead, seen: str) -> None:
    """Raises Conflict when the page showed something else; "" asks nothing."""
    if seen and seen != fingerprint(survivor, loser):
        raise Conflict(
            _("Somebody was faster: one of these leads has changed. Look at them again.")
        )


def _require_one_person(survivor: Lead, loser: Lead, by: Actor) -> None:
    """Two verified addresses are two people until a person says otherwise."""
    both_known = survivor.is_email_verified and loser.is_email_verified
    if by.user is None and both_known and survivor.email.lower() != loser.email.lower():
        raise Refused(
            _(
                "%(survivor)s and %(loser)s both have a verified address. "
                "Only a person may say that they are one."
            )
            % {"survivor": survivor.name, "loser": loser.name}
        )


def _require_order(survivor: Lead, loser: Lead) -> None:
    names = {"loser": loser.name, "stage": loser.get_stage_display()}
    if _place(loser) > _place(survivor):
        raise Refused(
            _("%(loser)s is further in the funnel (%(stage)s): keep %(loser)s instead.") % names
        )
    if loser.stage == Stage.CUSTOMER:
        raise Refused(_("%(loser)s is a customer, and a customer cannot be merged away.") % names)


def _place(lead: Lead) -> int:
    """How far in the funnel; who left for good or for now is nowhere, who churned had bought."""
    if lead.stage == Stage.CHURNED:
        return POSITION[Stage.CUSTOMER]
    return POSITION.get(Stage(lead.stage), 0)
