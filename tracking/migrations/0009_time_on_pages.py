"""The time spent on a page stands on the event of its view."""

import django.db.models.functions.datetime
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tracking", "0008_merged_leads_and_aliases")]

    operations = [
        migrations.AddField(
            model_name="event",
            name="engaged_ms",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.CreateModel(
            name="AwaitedPage",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("source_id", models.IntegerField()),
                ("message_id", models.CharField(max_length=200)),
                ("anonymous_id", models.CharField(max_length=200)),
                ("engaged_ms", models.PositiveIntegerField(verbose_name="time spent")),
                ("told_at", models.DateTimeField()),
                (
                    "created_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "verbose_name": "awaited page view",
                "verbose_name_plural": "awaited page views",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source_id", "message_id", "anonymous_id"),
                        name="tracking_awaitedpage_once",
                    )
                ],
            },
        ),
    ]
