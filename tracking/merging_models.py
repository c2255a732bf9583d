"""Which events a merge of two leads moved, so that they can be given back."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models

from leads.models import Merge


class MergedEvents(models.Model):
    """The events that were the loser's; tens of thousands are a few hundred kilobytes here."""

    merge = models.OneToOneField(
        Merge, on_delete=models.CASCADE, primary_key=True, related_name="events"
    )
    event_ids = ArrayField(models.BigIntegerField())
    # The survivor's last activity before, wherever it was known from.
    survivor_active_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.merge_id}: {len(self.event_ids)} events"
