"""Whether a verdict changed while its event still waited for what should follow from it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tracking", "0012_events_are_evidence")]
    operations = [
        migrations.AddField(
            model_name="verdictchange",
            name="was_waiting",
            field=models.BooleanField(db_default=False),
        ),
    ]
