"""Telling a colleague that an e-mail address is known already, and no more than they may see."""

from __future__ import annotations

from django.utils.translation import gettext as _

from leads.actors import Actor
from leads.models import Lead
from leads.refusals import Refused
from leads.survivors import lead_with_email
from users.models import User
from users.roles import Role


class AlreadyKnown(Refused):
    """`lead` is the one with this address if the asker may see it, else None."""

    def __init__(self, sentence: str, lead: Lead | None = None) -> None:
        super().__init__(sentence)
        self.lead = lead


def refuse_known(email: str, *, by: Actor, but: int | None = None) -> None:
    """Raises AlreadyKnown when a lead other than `but` has this address, or stands for who has."""
    holder = lead_with_email(email) if email else None
    if holder is not None and holder.pk != but:
        raise already_known(email, by=by)


def already_known(email: str, *, by: Actor) -> AlreadyKnown:
    """What to raise: the lead itself, or whom to ask; never whose lead it is or its stage."""
    lead = _seen_by(by, email)
    if lead is not None:
        names = {"name": lead.name, "email": email}
        return AlreadyKnown(_("%(name)s has the e-mail address %(email)s already.") % names, lead)
    names = {"email": email, "who": _whom_to_ask(by)}
    return AlreadyKnown(
        _(
            "Somebody with the e-mail address %(email)s is known already, but not to you. "
            "Ask %(who)s."
        )
        % names
    )


def _seen_by(by: Actor, email: str) -> Lead | None:
    if by.user is None:
        return None
    holder = lead_with_email(email)
    if holder is None:
        return None
    return Lead.objects.visible_to(by.user).filter(pk=holder.pk).first()


def _whom_to_ask(by: Actor) -> str:
    """A rep's own managers, whoever has the lead; everybody else's next is an admin."""
    managers = User.objects.none()
    if by.user is not None and by.role == Role.REP and by.user.team_id:
        managers = User.objects.filter(team=by.user.team_id, role=Role.MANAGER, is_active=True)
    return ", ".join(str(manager) for manager in managers) or _("an admin")
