"""Where a merged lead went. Whatever resolves a person to a lead asks here last.

A merge redirects and rewrites nothing: addresses, ids and visitors go on naming the lead they
always named, and this is the one place that knows whom it stands for.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.db.models.functions import Lower

from leads.models import Lead, LeadQuerySet, Merge
from leads.stages import Stage

_FOLLOW = """
WITH RECURSIVE way (start_id, here) AS (
    SELECT id, merged_into_id FROM leads_lead
     WHERE id = ANY(%s) AND merged_into_id IS NOT NULL
    UNION ALL
    SELECT way.start_id, l.merged_into_id
      FROM way JOIN leads_lead l ON l.id = way.here AND l.merged_into_id IS NOT NULL)
SELECT way.start_id, way.here FROM way JOIN leads_lead l ON l.id = way.here
 WHERE l.merged_into_id IS NULL
"""


def survivors_of(lead_ids: Iterable[int]) -> dict[int, int]:
    """Merged lead → the lead it stands for today. Leads that are not merged are left out."""
    ids = list(lead_ids)
    if not ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_FOLLOW, [ids])
        return dict(cursor.fetchall())


def survivor_of(lead_id: int) -> int:
    """The lead that this one stands for today; itself unless it was merged."""
    return survivors_of([lead_id]).get(lead_id, lead_id)


def leads_by_email(emails: Iterable[str]) -> dict[str, int]:
    """Lower-case address → the lead that it names, merged or not.

    A merged lead keeps its address: it goes before the survivor that took the address over,
    so that it is the loser's again when the merge is taken apart. An unrelated lead that has
    the address now goes before any merged one.
    """
    emails = list(emails)
    if not emails:
        return {}
    leads = spelled(*emails)
    columns = Lower("email"), "pk"
    chosen = dict(leads.exclude(stage=Stage.MERGED).values_list(*columns))
    merged = list(leads.filter(stage=Stage.MERGED).order_by("pk").values_list(*columns))
    went = survivors_of(lead_id for _email, lead_id in merged)
    own = {
        email: lead_id for email, lead_id in merged if chosen.get(email) in (None, went[lead_id])
    }
    return _given_up(emails) | chosen | own


def _given_up(emails: Iterable[str]) -> dict[str, int]:
    """Addresses that a survivor had before it took over a loser's."""
    merges = Merge.objects.filter(undone_at=None).exclude(former_email="")
    merges = merges.alias(lower=Lower("former_email")).filter(lower__in=list(emails))
    return dict(merges.order_by("pk").values_list(Lower("former_email"), "survivor_id"))


def spelled(*emails: str) -> LeadQuerySet:
    """Leads with one of these addresses in any case; merged ones have an index of their own."""
    leads = Lead.objects.exclude(email="").alias(lower=Lower("email"))
    return leads.filter(lower__in=[email.lower() for email in emails])


def merged_with_email(email: str) -> int | None:
    """The lead that stands for the merged one which has this address, or that gave it up for the
    address of one; None when there is none."""
    merged = spelled(email).filter(stage=Stage.MERGED).order_by("-pk")
    found = merged.values_list("pk", flat=True).first()
    if found is None:
        found = _given_up([email.lower()]).get(email.lower())
    return None if found is None else survivor_of(found)


def lead_with_email(email: str) -> Lead | None:
    """The lead that an address stands for today; None when nobody has it."""
    active = spelled(email).exclude(stage=Stage.MERGED).first()
    if active is not None:
        return active
    standing_for = merged_with_email(email)
    return None if standing_for is None else Lead.objects.get(pk=standing_for)
