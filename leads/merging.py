"""Two leads are one person: merging them, and taking a merge apart. Every write of it is here.

A merge redirects and does not rewrite. The loser keeps its row, address, ids, visitors, consent
and history, and is in stage Merged; whoever looks for it is led to the survivor
(leads/survivors.py). Only what people chose, copies of consent, buying roles, and events are
given to the survivor, each so that it can be given back.

Locks: what apps above take first (`merge_starts`), then both leads in the order of their ids.
"""

from __future__ import annotations

from django.db import connection, transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from leads import audit, duplicates, lifecycle, merging_evidence, merging_fields
from leads.actors import Actor
from leads.capture import qualify_when_ready
from leads.merging_fields import LOSER, OWNERSHIP, SURVIVOR, Changes
from leads.merging_rules import (
    require_as_seen,
    require_free_address,
    require_mergeable,
    require_separable,
)
from leads.models import Lead, Merge
from leads.ownership import assign_owner
from leads.refusals import Refused
from leads.signals import leads_merged, leads_unmerged, merge_starts, profile_changed
from users.models import Team, User


@transaction.atomic
def merge(
    survivor_id: int,
    loser_id: int,
    *,
    by: Actor,
    reason: str,
    choices: dict[str, str] | None = None,
    seen: str = "",
) -> Merge:
    """Make two leads one. `choices` ({field: "survivor" or "loser"}, leads/merging_fields.py)
    say whose value is kept; without one the survivor's, or the loser's where it has none.

    `seen` is the fingerprint of what the caller saw (leads/merging_rules.py). Raises Refused
    with what stands against it, Conflict when somebody was faster.
    """
    reason = _required(reason, _("Say how you know that these are one person."))
    _begin()
    survivor, loser = _locked(survivor_id, loser_id)
    require_as_seen(survivor, loser, seen)
    require_mergeable(survivor, loser, by=by)
    chosen = merging_fields.suggested(survivor, loser) | _known_choices(choices or {})
    changes = merging_fields.planned(survivor, loser, chosen)
    row = Merge.objects.create(
        survivor=survivor,
        loser=loser,
        choices=chosen,
        changes=changes,
        former=merging_fields.snapshot(survivor),
        former_email=changes.get("email", [""])[0],
        merged_at=now(),
        actor_kind=by.kind,
        actor=by.user,
        actor_label=by.label,
        reason=reason,
    )
    # First, or the survivor could not take over the address.
    lifecycle.merge_away(loser, survivor, by=by, at=row.merged_at, reason=reason)
    _take_over(row, survivor, by=by)
    _record(row, by=by, verbs=("merged", "merged_away"), changes=row.changes, reason=reason)
    leads_merged.send(sender=Merge, merge=row)
    profile_changed.send(sender=Merge, lead_ids=sorted([survivor.pk, loser.pk]))
    qualify_when_ready(survivor.pk, by=Actor.rule(_("Criteria met")))
    return row


@transaction.atomic
def unmerge(merge_id: int, *, by: Actor, reason: str) -> Merge:
    """Take a merge apart: both leads are as if it had not been, with what came since.

    Raises Refused with what stands against it, Conflict when somebody was faster.
    """
    reason = _required(reason, _("Say how you know that these are two people."))
    _begin()
    ids = Merge.objects.values_list("survivor_id", "loser_id").get(pk=merge_id)
    survivor, loser = _locked(*ids)
    row = Merge.objects.select_for_update(no_key=True).get(pk=merge_id)
    require_separable(row, survivor, loser, by=by)
    before = merging_fields.snapshot(survivor)
    returned = _give_back(row, survivor, by=by)
    require_free_address(loser, loser.email)
    row.undone_at = max(now(), row.merged_at)
    row.undone_by, row.undone_by_label, row.undone_reason = by.user, by.label, reason
    row.save(update_fields=["undone_at", "undone_by", "undone_by_label", "undone_reason"])
    lifecycle.restore(loser, by=by, at=row.undone_at, reason=reason)
    causes = {
        cause
        for _receiver, answer in leads_unmerged.send(sender=Merge, merge=row)
        for cause in answer or ()
    }
    merging_evidence.separate_answers(row, causes)
    survivor.refresh_from_db()
    returned |= merging_fields.difference(before, merging_fields.snapshot(survivor))
    duplicates.dismiss(survivor.pk, loser.pk, by=by, reason=reason)
    _record(row, by=by, verbs=("unmerged", "restored"), changes=returned, reason=reason)
    profile_changed.send(sender=Merge, lead_ids=sorted([survivor.pk, loser.pk]))
    return row


def _begin() -> None:
    """Somebody with 50,000 events takes longer than a page is allowed to."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '60s'; SET LOCAL lock_timeout = '10s'")
    merge_starts.send(sender=Merge)


def _locked(survivor_id: int, loser_id: int) -> tuple[Lead, Lead]:
    rows = Lead.objects.select_for_update(no_key=True).order_by("pk")
    found = {lead.pk: lead for lead in rows.filter(pk__in=(survivor_id, loser_id))}
    if survivor_id not in found or loser_id not in found:
        raise Refused(_("One of these leads does not exist any more."))
    return found[survivor_id], found[loser_id]


def _known_choices(choices: dict[str, str]) -> dict[str, str]:
    return {key: side for key, side in choices.items() if side in (SURVIVOR, LOSER)}


def _required(text: str, complaint: str) -> str:
    if not text.strip():
        raise Refused(complaint)
    return text.strip()


def _take_over(row: Merge, survivor: Lead, *, by: Actor) -> None:
    merging_fields.write(survivor, row.changes)
    _own(survivor, row.changes, by=by, reason=row.reason)
    merging_evidence.unite_answers(row)
    row.roles = merging_evidence.unite_roles(row, by=by)
    row.save(update_fields=["roles"])


def _give_back(row: Merge, survivor: Lead, *, by: Actor) -> Changes:
    returned = merging_fields.values_to_give_back(row, survivor)
    require_free_address(survivor, returned.get("email", ["", ""])[1])
    merging_fields.write(survivor, returned)
    _own(survivor, returned, by=by, reason=row.reason)
    merging_evidence.separate_roles(row)
    return returned


def _own(lead: Lead, changes: Changes, *, by: Actor, reason: str) -> None:
    """The owner and team that are among the changes."""
    if not changes.keys() & set(OWNERSHIP):
        return
    ids = {name: changes[name][1] if name in changes else getattr(lead, name) for name in OWNERSHIP}
    owner = User.objects.filter(pk=ids["owner_id"]).first()
    team = Team.objects.filter(pk=ids["team_id"]).first()
    assign_owner(lead, owner=owner, team=team, by=by, reason=reason)


def _record(
    row: Merge, *, by: Actor, verbs: tuple[str, str], changes: Changes, reason: str
) -> None:
    """An entry with each of the two: what the survivor got, and where the loser is."""
    went = {"merge": [None, row.pk]}
    for lead_id, verb, what in (
        (row.survivor_id, verbs[0], went | changes),
        (row.loser_id, verbs[1], went),
    ):
        audit.record(by, verb, object_kind="lead", object_id=lead_id, changes=what, reason=reason)
