"""Hits are read from the events, not stored; a feature row says when it was folded."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("scoring", "0004_counting_goes_by_lead")]

    operations = [
        migrations.DeleteModel(name="SignalHit"),
        migrations.AddField(
            model_name="leadfeature",
            name="folded_at",
            field=models.DateTimeField(default=django.utils.timezone.now),
            preserve_default=False,
        ),
    ]
