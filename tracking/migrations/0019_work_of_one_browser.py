"""Found quickly: all that changed about the visits of one browser, or about one lead."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("tracking", "0018_hearsay")]

    operations = [
        AddIndexConcurrently(
            "stalevisits",
            models.Index("anonymous_id", "lead_id", name="tracking_stalevisits_of"),
        )
    ]
