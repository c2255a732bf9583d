"""What a merge of two leads moved, and which ids were said to be one person's."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


def to_lead():
    return models.ForeignKey(
        db_index=False,
        null=True,
        on_delete=django.db.models.deletion.CASCADE,
        related_name="+",
        to="leads.lead",
    )


class Migration(migrations.Migration):
    dependencies = [("leads", "0018_merges"), ("tracking", "0007_keys_and_inspection")]

    operations = [
        migrations.CreateModel(
            name="MergedEvents",
            fields=[
                (
                    "merge",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="events",
                        serialize=False,
                        to="leads.merge",
                    ),
                ),
                (
                    "event_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None
                    ),
                ),
                ("survivor_active_at", models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name="Alias",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("previous_id", models.CharField(max_length=200)),
                ("user_id", models.CharField(max_length=200)),
                ("is_trusted", models.BooleanField()),
                ("event_id", models.BigIntegerField()),
                ("said_at", models.DateTimeField()),
                ("previous_lead", to_lead()),
                ("user_lead", to_lead()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user_id", "previous_id", "is_trusted"), name="tracking_alias_once"
                    ),
                    models.CheckConstraint(
                        condition=Q(previous_lead=None, user_lead=None)
                        | Q(previous_lead__isnull=False, user_lead__isnull=False),
                        name="tracking_alias_two_leads_or_none",
                    ),
                ],
                "indexes": [
                    models.Index(
                        "id",
                        condition=Q(user_lead__isnull=False),
                        name="tracking_alias_of_two_people",
                    )
                ],
            },
        ),
    ]
