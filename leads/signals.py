"""News that travels up the house.

Sent inside the transaction that makes it true: a receiver writes in the same
commit, so no crash can separate the news from its consequence.
"""

from django.dispatch import Signal

# lead: Lead. A person became known (first episode written).
lead_captured = Signal()
# lead: Lead, episode: StageEpisode, by: Actor. One per episode that is not a pass-through.
stage_changed = Signal()
# lead_ids: list[int]. Fields that fit rules may look at have changed.
profile_changed = Signal()
# lead: Lead, by: Actor. Another owner or team, written through leads/ownership.py.
owner_changed = Signal()
# leads: list[Lead], by: Actor. Histories of many leads came in by an import; sent once for
# the batch, instead of stage_changed. Each lead's stage is where its history ends.
histories_imported = Signal()
