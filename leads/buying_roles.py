"""Who plays which part in an account's decision to buy."""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from leads import audit
from leads.actors import Actor
from leads.merging_rules import refuse_merged
from leads.models import BuyingRole, Lead
from leads.refusals import Refused
from leads.signals import profile_changed


@transaction.atomic
def add_role(lead_id: int, kind: str, *, by: Actor) -> bool:
    """Write down that this person plays this part; returns whether that was news."""
    if kind not in BuyingRole.Kind.values:
        raise Refused(_("There is no buying role “%(kind)s”.") % {"kind": kind[:50]})
    refuse_merged(Lead.objects.select_for_update(no_key=True).get(pk=lead_id))
    _role, was_new = BuyingRole.objects.get_or_create(
        lead_id=lead_id, kind=kind, defaults={"recorded_by": by.user}
    )
    if was_new:
        _record(by, "added", lead_id, [None, kind])
        profile_changed.send(sender=BuyingRole, lead_ids=[lead_id])
    return was_new


@transaction.atomic
def remove_role(lead_id: int, kind: str, *, by: Actor) -> bool:
    """Take a part away again; returns whether there was one."""
    if kind not in BuyingRole.Kind.values:
        return False
    refuse_merged(Lead.objects.select_for_update(no_key=True).get(pk=lead_id))
    count, _rows = BuyingRole.objects.filter(lead_id=lead_id, kind=kind).delete()
    if count:
        _record(by, "removed", lead_id, [kind, None])
        profile_changed.send(sender=BuyingRole, lead_ids=[lead_id])
    return bool(count)


def _record(by: Actor, verb: str, lead_id: int, change: list) -> None:
    audit.record(by, verb, object_kind="lead", object_id=lead_id, changes={"buying_role": change})
