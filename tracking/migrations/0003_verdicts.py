"""A verdict says why: signals on every event, the rows behind them, history and work."""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tracking", "0002_queue_is_vacuumed_often"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.RunSQL("SET LOCAL lock_timeout = '2s'", migrations.RunSQL.noop),
        migrations.CreateModel(
            name="BeaconHost",
            fields=[
                ("host", models.CharField(max_length=255, primary_key=True, serialize=False)),
                ("first_seen_at", models.DateTimeField()),
                ("last_seen_at", models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name="CloudNetwork",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("network", models.CharField(max_length=43, unique=True, verbose_name="network")),
                ("name", models.CharField(max_length=100, verbose_name="provider")),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
            ],
            options={
                "verbose_name": "cloud network",
                "verbose_name_plural": "cloud networks",
                "ordering": ("name", "network"),
            },
        ),
        migrations.CreateModel(
            name="StaffBrowser",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("anonymous_id", models.CharField(max_length=200, unique=True)),
                (
                    "noted_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
        ),
        migrations.CreateModel(
            name="VerdictChange",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("event_id", models.BigIntegerField()),
                (
                    "changed_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("verdict_before", models.PositiveSmallIntegerField()),
                ("verdict", models.PositiveSmallIntegerField()),
                (
                    "signals_before",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField()),
                ),
                (
                    "signals",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField()),
                ),
                ("cause", models.CharField(blank=True, max_length=100)),
            ],
            options={
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="VerdictCheck",
            fields=[
                ("event_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("due_at", models.DateTimeField()),
                ("attempts", models.PositiveSmallIntegerField(db_default=0)),
                ("error", models.TextField(blank=True, db_default="")),
            ],
        ),
        migrations.CreateModel(
            name="VerdictRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "effect",
                    models.CharField(
                        choices=[
                            ("human", "human"),
                            ("machine", "machine"),
                            ("staff", "one of us"),
                        ],
                        max_length=10,
                        verbose_name="verdict",
                    ),
                ),
                ("reason", models.CharField(max_length=300, verbose_name="reason")),
                (
                    "user_agent",
                    models.CharField(
                        blank=True, max_length=200, verbose_name="user agent contains"
                    ),
                ),
                ("network", models.CharField(blank=True, max_length=43, verbose_name="network")),
                (
                    "email_domain",
                    models.CharField(blank=True, max_length=200, verbose_name="e-mail domain"),
                ),
                (
                    "path",
                    models.CharField(blank=True, max_length=300, verbose_name="path begins with"),
                ),
                (
                    "event_kind",
                    models.CharField(blank=True, max_length=100, verbose_name="kind of event"),
                ),
                ("visitor", models.CharField(blank=True, max_length=200, verbose_name="visitor")),
                ("made_by_label", models.CharField(max_length=200)),
                (
                    "made_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(),
                        editable=False,
                        verbose_name="since",
                    ),
                ),
                ("ended_by_label", models.CharField(blank=True, max_length=200)),
                (
                    "ended_at",
                    models.DateTimeField(editable=False, null=True, verbose_name="taken back"),
                ),
            ],
            options={
                "verbose_name": "verdict rule",
                "verbose_name_plural": "verdict rules",
                "ordering": ("-id",),
            },
        ),
        migrations.CreateModel(
            name="VerdictRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("cause", models.CharField(blank=True, max_length=100)),
                ("reached", models.BigIntegerField(default=0)),
                ("upto", models.BigIntegerField(null=True)),
                ("changed_count", models.BigIntegerField(default=0)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("error", models.TextField(blank=True)),
                (
                    "asked_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), editable=False
                    ),
                ),
                ("finished_at", models.DateTimeField(editable=False, null=True)),
            ],
            options={
                "ordering": ("id",),
            },
        ),
        migrations.CreateModel(
            name="VerdictSignal",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "name",
                    models.SlugField(
                        editable=False, max_length=40, unique=True, verbose_name="signal"
                    ),
                ),
                (
                    "effect",
                    models.CharField(
                        choices=[
                            ("machine", "machine"),
                            ("suspected", "suspected machine"),
                            ("weak", "weak: two of them make suspected"),
                            ("staff", "one of us"),
                            ("off", "says nothing"),
                        ],
                        max_length=10,
                        verbose_name="means",
                    ),
                ),
                (
                    "most",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="how many"),
                ),
                (
                    "seconds",
                    models.PositiveIntegerField(blank=True, null=True, verbose_name="seconds"),
                ),
            ],
            options={
                "verbose_name": "signal of machines",
                "verbose_name_plural": "signals of machines",
                "ordering": ("id",),
            },
        ),
        migrations.AddField(
            model_name="event",
            name="verdict_signals",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.TextField(), db_default=[], default=list
            ),
        ),
        migrations.AlterField(
            model_name="event",
            name="verdict",
            field=models.PositiveSmallIntegerField(
                choices=[(0, "human"), (1, "suspected machine"), (2, "machine"), (3, "one of us")],
                default=0,
            ),
        ),
        migrations.AddIndex(
            model_name="verdictcheck",
            index=models.Index(fields=["due_at"], name="tracking_verdictcheck_due"),
        ),
        migrations.AddField(
            model_name="verdictrule",
            name="made_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="verdictrule",
            name="source",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tracking.source",
                verbose_name="source",
            ),
        ),
        migrations.AddField(
            model_name="verdictchange",
            name="rule",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tracking.verdictrule",
            ),
        ),
        migrations.AddField(
            model_name="staffbrowser",
            name="rule",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="browsers",
                to="tracking.verdictrule",
            ),
        ),
        migrations.AddField(
            model_name="verdictrun",
            name="rule",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="runs",
                to="tracking.verdictrule",
            ),
        ),
        migrations.AddConstraint(
            model_name="verdictrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("email_domain", ""),
                    ("event_kind", ""),
                    ("network", ""),
                    ("path", ""),
                    ("source", None),
                    ("user_agent", ""),
                    ("visitor", ""),
                    _negated=True,
                ),
                name="tracking_verdictrule_has_condition",
            ),
        ),
        migrations.AddIndex(
            model_name="verdictchange",
            index=models.Index(
                models.F("event_id"), models.F("id"), name="tracking_verdictchange_event"
            ),
        ),
        migrations.AddIndex(
            model_name="verdictrun",
            index=models.Index(
                condition=models.Q(("finished_at", None)),
                fields=["id"],
                name="tracking_verdictrun_open",
            ),
        ),
    ]
