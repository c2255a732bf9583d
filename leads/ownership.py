"""Who works a lead: the one door to its owner and team."""

from __future__ import annotations

from leads import audit
from leads.actors import Actor
from leads.models import Lead
from leads.signals import owner_changed
from users.models import Team, User


def assign_owner(
    lead: Lead, *, owner: User | None, team: Team | None, by: Actor, reason: str = ""
) -> bool:
    """Give a locked lead to a rep and a team; returns whether anything changed."""
    before = {"owner": lead.owner_id, "team": lead.team_id}
    after = {"owner": owner and owner.pk, "team": team and team.pk}
    if before == after:
        return False
    lead.owner, lead.team = owner, team
    lead.save(update_fields=["owner", "team"])
    audit.record(
        by,
        "assigned",
        object_kind="lead",
        object_id=lead.pk,
        changes={key: [before[key], after[key]] for key in before if before[key] != after[key]},
        reason=reason,
    )
    owner_changed.send(sender=Lead, lead=lead, by=by)
    return True
