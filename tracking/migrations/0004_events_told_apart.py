"""Found by day of arrival: the events that gave themselves away in any manner."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("tracking", "0003_verdicts")]

    operations = [
        AddIndexConcurrently(
            "event",
            models.Index(
                "received_at",
                include=["verdict", "verdict_signals"],
                condition=Q(verdict__gt=0) | ~Q(verdict_signals=[]),
                name="tracking_event_told_apart",
            ),
        )
    ]
