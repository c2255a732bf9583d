"""News about what people did, sent inside the transaction that makes it true."""

from django.dispatch import Signal

# lead_ids: list[int], ascending; event_ids: list[int]. These events now belong to these
# leads: new ones, late ones, and those of a visitor who was just recognised. An event may
# be announced again, so a receiver keeps one effect per event. losers: those of the leads
# (and any that none of the events belongs to) from whom events were taken.
event_recorded = Signal()

# lead_ids, event_ids: list[int], ascending; anonymous_ids: list[str]; since: datetime of the
# earliest. The verdicts of these stored events changed, so whatever was derived from them
# (scores, visits, figures) is to be derived again. Sent after the change, in its commit.
verdicts_changed = Signal()
