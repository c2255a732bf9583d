"""News that travels up the house.

Sent inside the transaction that makes it true: a receiver writes in the same
commit, so no crash can separate the news from its consequence.
"""

from django.dispatch import Signal

# lead: Lead. A person became known (first episode written).
lead_captured = Signal()
# lead: Lead, episode: StageEpisode, by: Actor. One per episode that is not a pass-through.
stage_changed = Signal()
# lead_ids: list[int]. Fields that fit rules may look at have changed, or parts in a decision.
profile_changed = Signal()
# lead: Lead, by: Actor. Another owner or team, written through leads/ownership.py.
owner_changed = Signal()
# leads: list[Lead], by: Actor. Histories of many leads came in by an import; sent once for
# the batch, instead of stage_changed. Each lead's stage is where its history ends.
histories_imported = Signal()
# No row is locked yet: a receiver takes the locks that come before those of leads. Two leads
# will be merged, or a merge taken apart.
merge_starts = Signal()
# merge: Merge. The survivor has taken over what it was to take; receivers unite the rest.
leads_merged = Signal()
# merge: Merge. The loser is a lead of its own again; receivers give back what is its. Each
# returns the causes (leads.Consent.cause) of answers that reached the survivor by mistake.
leads_unmerged = Signal()
