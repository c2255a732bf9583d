"""Ids by which senders name companies, and who was said to belong to which."""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models
from django.db.models import Q


def own_id():
    return models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0018_merges"),
        ("tracking", "0014_no_longer_than_the_visit"),
    ]

    operations = [
        migrations.CreateModel(
            name="Group",
            fields=[
                ("id", own_id()),
                ("group_id", models.CharField(max_length=200, verbose_name="group id")),
                ("is_chosen", models.BooleanField(db_default=False, verbose_name="chosen by hand")),
                (
                    "first_said_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="first named",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="leads.account",
                        verbose_name="account",
                    ),
                ),
                (
                    "source",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tracking.source",
                        verbose_name="source",
                    ),
                ),
            ],
            options={
                "verbose_name": "group of people",
                "verbose_name_plural": "groups of people",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "group_id"), name="tracking_group_once"
                    ),
                    models.CheckConstraint(
                        condition=Q(is_chosen=False) | Q(account__isnull=False),
                        name="tracking_group_choice_is_an_account",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="GroupMember",
            fields=[
                ("id", own_id()),
                ("said_at", models.DateTimeField()),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="members",
                        to="tracking.group",
                    ),
                ),
                (
                    "lead",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="leads.lead",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("group", "lead"), name="tracking_groupmember_once"
                    )
                ],
            },
        ),
    ]
