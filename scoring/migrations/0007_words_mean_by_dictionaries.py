"""Dictionaries for titles, industries, legal forms and mailboxes; lists of throw-away mail."""

import django.contrib.postgres.fields
import django.db.models.functions.datetime
from django.db import migrations, models

from scoring.default_words import write_first_words
from scoring.mail_lists import listed_domains, take_over_lists

# What an address is said to be has changed: find out again, where anybody is known.
LOOK_AGAIN = """
WITH touched AS (
  UPDATE scoring_signal SET counted_at = NULL, counted_to_lead_id = 0
   WHERE axis = 'fit' AND EXISTS (SELECT FROM leads_lead)
     AND conditions @> '[{"field": "email_type"}]'
  RETURNING id)
INSERT INTO scoring_rewording (signal_ids, requested_at)
SELECT array_agg(id), now() FROM touched HAVING count(*) > 0
"""


def fill(apps, schema_editor):
    names = ("TitleWord", "IndustryWord", "LegalForm", "SharedMailbox")
    write_first_words(*(apps.get_model("scoring", name).objects for name in names))
    domains = apps.get_model("scoring", "MailDomain").objects
    domains.filter(pk__in=list(listed_domains()), kind="free").update(is_listed=True)
    take_over_lists(domains)


def empty(apps, schema_editor):
    apps.get_model("scoring", "MailDomain").objects.exclude(kind="free").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("scoring", "0006_published_models_are_not_emptied"),
    ]

    operations = [
        migrations.CreateModel(
            name="IndustryWord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("word", models.CharField(max_length=100, unique=True, verbose_name="word")),
                (
                    "industry",
                    models.CharField(
                        help_text="The one name that rules ask for.",
                        max_length=100,
                        verbose_name="industry",
                    ),
                ),
            ],
            options={
                "verbose_name": "word for an industry",
                "verbose_name_plural": "words for industries",
                "ordering": ("word",),
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="LegalForm",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("word", models.CharField(max_length=100, unique=True, verbose_name="word")),
                (
                    "may_lead",
                    models.BooleanField(
                        default=False,
                        help_text="Korean forms stand in front of a name or behind it.",
                        verbose_name="may stand first",
                    ),
                ),
            ],
            options={
                "verbose_name": "legal form",
                "verbose_name_plural": "legal forms",
                "ordering": ("word",),
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="Rewording",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "signal_ids",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), default=list
                    ),
                ),
                (
                    "requested_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "ordering": ("pk",),
            },
        ),
        migrations.CreateModel(
            name="SharedMailbox",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("word", models.CharField(max_length=100, unique=True, verbose_name="word")),
            ],
            options={
                "verbose_name": "shared mailbox",
                "verbose_name_plural": "shared mailboxes",
                "ordering": ("word",),
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="TitleWord",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("word", models.CharField(max_length=100, unique=True, verbose_name="word")),
                (
                    "seniority",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("learner", "student or trainee"),
                            ("assistant", "assistant"),
                            ("executive", "leads the company"),
                            ("vice_president", "vice president"),
                            ("director", "heads a department"),
                            ("manager", "manages a team"),
                            ("specialist", "specialist"),
                        ],
                        max_length=20,
                        verbose_name="seniority",
                    ),
                ),
                (
                    "department",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("management", "general management"),
                            ("marketing", "marketing"),
                            ("sales", "sales"),
                            ("it", "information technology"),
                            ("engineering", "engineering and development"),
                            ("operations", "production and operations"),
                            ("procurement", "procurement"),
                            ("finance", "finance"),
                            ("people", "human resources"),
                            ("legal", "legal"),
                            ("service", "customer service"),
                        ],
                        max_length=20,
                        verbose_name="department",
                    ),
                ),
            ],
            options={
                "verbose_name": "word of job titles",
                "verbose_name_plural": "words of job titles",
                "ordering": ("word",),
                "abstract": False,
            },
        ),
        migrations.AddField(
            model_name="maildomain",
            name="is_listed",
            field=models.BooleanField(
                default=False, editable=False, verbose_name="from the published lists"
            ),
        ),
        migrations.AlterField(
            model_name="maildomain",
            name="kind",
            field=models.CharField(
                choices=[
                    ("free", "free mail"),
                    ("corporate", "a company's"),
                    ("disposable", "throw-away"),
                ],
                max_length=10,
                verbose_name="kind",
            ),
        ),
        migrations.RunPython(fill, empty),
        migrations.RunSQL(LOOK_AGAIN, migrations.RunSQL.noop),
    ]
