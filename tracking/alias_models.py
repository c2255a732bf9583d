"""Which ids were said to be one person's."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from leads.models import Lead
from tracking.models import LONGEST_ID


class Alias(models.Model):
    """A sender said that `previous_id` is `user_id` from now on. Kept: either may be known later.

    Where both named somebody known already, the two leads stand here. They are never made
    one by this: a colleague looks at them.
    """

    previous_id = models.CharField(max_length=LONGEST_ID)
    user_id = models.CharField(max_length=LONGEST_ID)
    # Signed with a secret key.
    is_trusted = models.BooleanField()
    event_id = models.BigIntegerField()
    said_at = models.DateTimeField()
    previous_lead = models.ForeignKey(
        Lead, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    user_lead = models.ForeignKey(
        Lead, null=True, on_delete=models.CASCADE, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user_id", "previous_id", "is_trusted"], name="tracking_alias_once"
            ),
            models.CheckConstraint(
                condition=Q(previous_lead=None, user_lead=None)
                | Q(previous_lead__isnull=False, user_lead__isnull=False),
                name="tracking_alias_two_leads_or_none",
            ),
        ]
        indexes = [
            models.Index(
                "id", condition=Q(user_lead__isnull=False), name="tracking_alias_of_two_people"
            )
        ]

    def __str__(self) -> str:
        return f"{self.previous_id} = {self.user_id}"
