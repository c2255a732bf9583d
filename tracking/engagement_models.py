"""Time spent on pages whose view has not arrived yet."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from tracking.models import LONGEST_ID


class AwaitedPage(models.Model):
    """What was told about a page view before the view itself: it was under way longer.

    Written and emptied by tracking/engagement.py; a view that never comes is forgotten.
    """

    source_id = models.IntegerField()
    message_id = models.CharField(max_length=LONGEST_ID)
    anonymous_id = models.CharField(max_length=LONGEST_ID)
    engaged_ms = models.PositiveIntegerField(_("time spent"))
    told_at = models.DateTimeField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("awaited page view")
        verbose_name_plural = _("awaited page views")
        constraints = [
            models.UniqueConstraint(
                fields=["source_id", "message_id", "anonymous_id"],
                name="tracking_awaitedpage_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.message_id}: {self.engaged_ms} ms"
