"""Consent and buying roles of two leads that are merged, or of a merge that is taken apart.

Answers are never moved or changed: the survivor gets copies that name the merge as their cause.
"""

from __future__ import annotations

from collections.abc import Collection

from django.utils.timezone import now
from django.utils.translation import gettext as _

from leads.actors import Actor
from leads.models import BuyingRole, Consent, Lead, Merge


def unite_answers(merge: Merge) -> None:
    """Give the survivor the loser's newest answer per purpose, where its own is older."""
    for purpose in Consent.Purpose.values:
        theirs = _newest(merge.loser_id, purpose)
        own = _newest(merge.survivor_id, purpose)
        if theirs and (own is None or own.given_at < theirs.given_at):
            _append(merge.survivor_id, theirs, cause=merge.cause)


def separate_answers(merge: Merge, causes: Collection[str]) -> None:
    """Let the survivor's own former answers hold again, and the loser have what is the loser's.

    `causes` name answers that reached the survivor through the loser's address or visitors.
    """
    foreign = {merge.cause, *causes}
    for answer in Consent.objects.filter(lead=merge.survivor_id, cause__in=causes):
        _append(merge.loser_id, answer, cause=answer.cause)
    lent = {other.cause for other in Merge.objects.filter(survivor=merge.survivor_id)
            if not other.is_open}  # fmt: skip
    for purpose in Consent.Purpose.values:
        in_force = _newest(merge.survivor_id, purpose)
        if in_force is None or in_force.cause not in foreign:
            continue
        former = _newest(merge.survivor_id, purpose, but=foreign | lent)
        Consent.objects.create(
            lead_id=merge.survivor_id,
            purpose=purpose,
            is_granted=bool(former and former.is_granted),
            given_at=now(),
            evidence=_again(former)[:500],
            cause=f"un{merge.cause}",
        )


def unite_roles(merge: Merge, *, by: Actor) -> list[str]:
    """Give the survivor the loser's buying roles; returns those that are new to it."""
    own = set(_roles_of(merge.survivor_id))
    new = [kind for kind in _roles_of(merge.loser_id) if kind not in own]
    BuyingRole.objects.bulk_create(
        BuyingRole(lead_id=merge.survivor_id, kind=kind, recorded_by=by.user) for kind in new
    )
    return new


def separate_roles(merge: Merge) -> None:
    """Take away the roles that came with the merge, unless another merge brings them, too."""
    others = Merge.objects.filter(survivor=merge.survivor_id, undone_at=None).exclude(pk=merge.pk)
    elsewhere = set(
        BuyingRole.objects.filter(lead__in=others.values("loser")).values_list("kind", flat=True)
    )
    gone = [kind for kind in merge.roles if kind not in elsewhere]
    BuyingRole.objects.filter(lead=merge.survivor_id, kind__in=gone).delete()


def newest_answers(lead: Lead) -> dict[str, Consent]:
    """The answer in force per purpose."""
    answers = ((purpose, _newest(lead.pk, purpose)) for purpose in Consent.Purpose.values)
    return {purpose: answer for purpose, answer in answers if answer}


def _newest(lead_id: int, purpose: str, but: Collection[str] = ()) -> Consent | None:
    answers = Consent.objects.filter(lead=lead_id, purpose=purpose)
    return answers.exclude(cause__in=but).first()


def _append(lead_id: int, answer: Consent, *, cause: str) -> None:
    Consent.objects.get_or_create(
        lead_id=lead_id,
        purpose=answer.purpose,
        cause=cause,
        defaults={
            "is_granted": answer.is_granted,
            "given_at": answer.given_at,
            "evidence": answer.evidence,
        },
    )


def _again(former: Consent | None) -> str:
    if former is None:
        return _("A merge was taken apart: the answer was another person's.")
    return _("A merge was taken apart: as before (%(evidence)s).") % {"evidence": former.evidence}


def _roles_of(lead_id: int) -> list[str]:
    return list(BuyingRole.objects.filter(lead=lead_id).values_list("kind", flat=True))
