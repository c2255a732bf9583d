"""Versions are submitted, signed by two sides and published; several models stand side by side."""

from decimal import Decimal

import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models

# The model for everybody, which all versions so far belong to.
DEFAULT = """
INSERT INTO scoring_scoringmodel (id, name, conditions, position) VALUES (1, 'All leads', '[]', 32000);
SELECT setval(pg_get_serial_sequence('scoring_scoringmodel', 'id'), 1);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0028_accounts_have_a_standing"),
        ("scoring", "0009_predictive_score"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="HeldLead",
            fields=[
                (
                    "lead",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="held",
                        serialize=False,
                        to="leads.lead",
                    ),
                ),
            ],
            options={
                "verbose_name": "lead held back",
                "verbose_name_plural": "leads held back",
            },
        ),
        migrations.CreateModel(
            name="ScoringModel",
            fields=[
                ("id", models.SmallAutoField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=100, unique=True, verbose_name="name")),
                (
                    "conditions",
                    models.JSONField(
                        blank=True,
                        default=list,
                        help_text="Conditions on the fields of a lead, as for a fit signal. All must hold.",
                        verbose_name="who belongs to it",
                    ),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(
                        help_text="Models are asked in this order.",
                        unique=True,
                        verbose_name="position",
                    ),
                ),
            ],
            options={
                "verbose_name": "scoring model",
                "verbose_name_plural": "scoring models",
                "ordering": ("position",),
            },
        ),
        migrations.CreateModel(
            name="Signature",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "side",
                    models.CharField(
                        choices=[("marketing", "Marketing"), ("sales", "Sales")],
                        max_length=10,
                        verbose_name="side",
                    ),
                ),
                (
                    "signed_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "verbose_name": "signature",
                "verbose_name_plural": "signatures",
                "ordering": ("side",),
            },
        ),
        migrations.RemoveConstraint(
            model_name="modelversion",
            name="scoring_one_active_version",
        ),
        migrations.RemoveConstraint(
            model_name="signal",
            name="scoring_signal_axis",
        ),
        migrations.AddField(
            model_name="leadfeature",
            name="model_id",
            field=models.SmallIntegerField(db_default=1),
        ),
        migrations.AddField(
            model_name="leadfeature",
            name="turns_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="modelversion",
            name="after_lead_id",
            field=models.BigIntegerField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name="modelversion",
            name="effective_from",
            field=models.DateTimeField(
                blank=True,
                help_text="Not before this instant. Empty: as soon as it is published.",
                null=True,
                verbose_name="in force from",
            ),
        ),
        migrations.AddField(
            model_name="modelversion",
            name="hysteresis",
            field=models.DecimalField(
                decimal_places=2,
                default=Decimal("5"),
                help_text="A lead that is with sales counts as cooled only when its score lies this much below the threshold.",
                max_digits=7,
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="hysteresis",
            ),
        ),
        migrations.AddField(
            model_name="modelversion",
            name="replaces",
            field=models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="scoring.modelversion",
            ),
        ),
        migrations.AddField(
            model_name="publication",
            name="daily_handoffs",
            field=models.PositiveSmallIntegerField(
                blank=True,
                null=True,
                validators=[django.core.validators.MinValueValidator(1)],
                verbose_name="hand-offs a day",
            ),
        ),
        migrations.AddField(
            model_name="publication",
            name="held_count",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="publication",
            name="is_rollback",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="publication",
            name="scope",
            field=models.CharField(
                choices=[("all", "all leads, anew"), ("new", "new leads only")],
                default="all",
                max_length=3,
                verbose_name="for",
            ),
        ),
        migrations.AddField(
            model_name="signal",
            name="inactive_days",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="Counts while the last such event lies at least so many days back.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(3650),
                ],
                verbose_name="days without",
            ),
        ),
        migrations.AddField(
            model_name="signal",
            name="window_days",
            field=models.PositiveSmallIntegerField(
                blank=True,
                help_text="An event counts in full for so many days, then no more. Instead of fading.",
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(1),
                    django.core.validators.MaxValueValidator(3650),
                ],
                verbose_name="window in days",
            ),
        ),
        migrations.AlterField(
            model_name="modelversion",
            name="state",
            field=models.CharField(
                choices=[
                    ("draft", "Draft"),
                    ("in_review", "In review"),
                    ("signed", "Signed"),
                    ("active", "Active"),
                    ("retired", "Retired"),
                ],
                default="draft",
                editable=False,
                max_length=10,
                verbose_name="state",
            ),
        ),
        migrations.AlterField(
            model_name="publication",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="publications",
                to="scoring.modelversion",
            ),
        ),
        migrations.AlterField(
            model_name="signal",
            name="event_kind",
            field=models.CharField(
                blank=True,
                help_text="For interest, e.g. page_viewed. Empty for fit and for any inactivity.",
                max_length=100,
                verbose_name="kind of event",
            ),
        ),
        migrations.AddIndex(
            model_name="leadfeature",
            index=models.Index(
                models.F("turns_at"),
                condition=models.Q(("turns_at", None), _negated=True),
                name="scoring_feature_turns",
            ),
        ),
        migrations.AddConstraint(
            model_name="publication",
            constraint=models.UniqueConstraint(
                condition=models.Q(("finished_at", None)),
                fields=("version",),
                name="scoring_publication_one_way",
            ),
        ),
        migrations.AddConstraint(
            model_name="signal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("axis", "fit"),
                        ("event_kind", ""),
                        ("half_life_days", None),
                        ("inactive_days", None),
                        ("window_days", None),
                    ),
                    models.Q(
                        ("axis", "interest"),
                        models.Q(
                            models.Q(("event_kind", ""), _negated=True),
                            ("inactive_days__gte", 1),
                            _connector="OR",
                        ),
                    ),
                    _connector="OR",
                ),
                name="scoring_signal_axis",
            ),
        ),
        migrations.AddConstraint(
            model_name="signal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("half_life_days", None), ("window_days", None)),
                    models.Q(("half_life_days", None), ("inactive_days", None)),
                    models.Q(("inactive_days", None), ("window_days", None)),
                    _connector="OR",
                ),
                name="scoring_signal_one_way_of_time",
            ),
        ),
        migrations.AddField(
            model_name="heldlead",
            name="publication",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="held",
                to="scoring.publication",
            ),
        ),
        migrations.AddConstraint(
            model_name="scoringmodel",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("conditions", []), ("pk", 1)),
                    models.Q(
                        models.Q(("pk", 1), _negated=True),
                        models.Q(("conditions", []), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="scoring_model_default_is_for_all",
            ),
        ),
        migrations.RunSQL(DEFAULT, migrations.RunSQL.noop),
        migrations.AddField(
            model_name="modelversion",
            name="model",
            field=models.ForeignKey(
                default=1,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="versions",
                to="scoring.scoringmodel",
                verbose_name="scoring model",
            ),
        ),
        migrations.AddConstraint(
            model_name="modelversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "active")),
                fields=("model",),
                name="scoring_one_active_version",
            ),
        ),
        migrations.AddConstraint(
            model_name="modelversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("hysteresis__gte", 0)), name="scoring_version_hysteresis"
            ),
        ),
        migrations.AddConstraint(
            model_name="modelversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("after_lead_id", None),
                    models.Q(("replaces", None), _negated=True),
                    _connector="OR",
                ),
                name="scoring_version_older_leads_have_one",
            ),
        ),
        migrations.AddField(
            model_name="signature",
            name="signed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="signature",
            name="version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="signatures",
                to="scoring.modelversion",
            ),
        ),
        migrations.AddConstraint(
            model_name="signature",
            constraint=models.UniqueConstraint(
                fields=("version", "side"), name="scoring_signature_per_side"
            ),
        ),
        migrations.AddConstraint(
            model_name="signature",
            constraint=models.UniqueConstraint(
                fields=("version", "signed_by"), name="scoring_signature_by_two_people"
            ),
        ),
    ]
