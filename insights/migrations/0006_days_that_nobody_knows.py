"""Stays that began or ended nobody knows when: their days are null.

The relay builds the roll-ups anew, because their layout changed.
"""

from datetime import UTC, datetime

from django.db import migrations, models
from django.db.models import Case, F, OrderBy, Value, When

BEGAN_AT = Case(
    When(entered_on=None, then=Value(datetime(1970, 1, 1, tzinfo=UTC))), default=F("entered_at")
)


class Migration(migrations.Migration):
    dependencies = [("insights", "0005_traffic")]

    operations = [
        migrations.RemoveIndex("stay", "insights_stay_newest"),
        migrations.AddField("stay", "reached_after", models.SmallIntegerField(null=True)),
        migrations.AlterField("stay", "captured_on", models.DateField(null=True)),
        migrations.AlterField("stay", "entered_on", models.DateField(null=True)),
        migrations.AddIndex(
            "stay",
            models.Index(
                "stage",
                OrderBy(BEGAN_AT, descending=True),
                F("lead").desc(),
                F("seq").desc(),
                name="insights_stay_newest",
            ),
        ),
    ]
