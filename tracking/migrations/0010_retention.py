"""Retention: what is kept how long, what was purged; a lead's events are history.

A row trigger costs a purge nothing: its condition is checked without calling it.
"""

import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

FUNCTIONS = """
CREATE FUNCTION tracking_message_digest(source bigint, message text) RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE RETURN
  substr(encode(sha256(convert_to(source::text || ':' || message, 'UTF8')), 'hex'), 1, 32)::uuid;

CREATE FUNCTION tracking_refuse_event_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(current_setting('funnel.erasing', true), '') = 'on' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'What a lead did is history, and is only deleted when the person is erased.'
    USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER tracking_event_is_history BEFORE DELETE ON tracking_event
  FOR EACH ROW WHEN (OLD.lead_id IS NOT NULL) EXECUTE FUNCTION tracking_refuse_event_delete();

ALTER TABLE tracking_purgemark SET (
  autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 20000);
ALTER TABLE tracking_inspectedmessage SET (
  autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000);
"""
NO_FUNCTIONS = """
DROP TRIGGER tracking_event_is_history ON tracking_event;
DROP FUNCTION tracking_refuse_event_delete;
DROP FUNCTION tracking_message_digest;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("tracking", "0009_time_on_pages"),
    ]

    operations = [
        migrations.CreateModel(
            name="PurgedMessage",
            fields=[
                ("digest", models.UUIDField(primary_key=True, serialize=False)),
            ],
        ),
        migrations.CreateModel(
            name="PurgeMark",
            fields=[
                ("event_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("digest", models.UUIDField()),
                (
                    "rule",
                    models.CharField(
                        choices=[("machine", "machines"), ("anonymous", "visitors nobody knows")],
                        max_length=10,
                    ),
                ),
                (
                    "marked_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RetentionSweep",
            fields=[
                (
                    "rule",
                    models.CharField(
                        choices=[("machine", "machines"), ("anonymous", "visitors nobody knows")],
                        max_length=10,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("next_event_id", models.BigIntegerField(default=0)),
                (
                    "began_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
        ),
        migrations.CreateModel(
            name="JobRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("job", models.CharField(max_length=40, verbose_name="job")),
                ("slot", models.DateTimeField(verbose_name="due")),
                (
                    "started_at",
                    models.DateTimeField(
                        db_default=django.db.models.functions.datetime.Now(), verbose_name="started"
                    ),
                ),
                ("lease_until", models.DateTimeField()),
                ("attempts", models.PositiveSmallIntegerField(db_default=1)),
                ("done", models.BigIntegerField(db_default=0, verbose_name="rows")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished")),
            ],
            options={
                "ordering": ("-slot",),
                "indexes": [
                    models.Index(
                        models.F("job"),
                        condition=models.Q(("finished_at", None)),
                        name="tracking_jobrun_open",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("job", "slot"), name="tracking_jobrun_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="RetentionSettings",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("anonymous_days", models.PositiveIntegerField(db_default=395, default=395)),
                ("machine_days", models.PositiveIntegerField(db_default=90, default=90)),
                ("inspected_days", models.PositiveIntegerField(db_default=1, default=1)),
                (
                    "edited_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("id", 1)), name="tracking_retention_one_row"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("anonymous_days__gte", 30),
                            ("inspected_days__gte", 1),
                            ("machine_days__gte", 7),
                        ),
                        name="tracking_retention_long_enough",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="PurgeCount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("day", models.DateField(verbose_name="day")),
                (
                    "rule",
                    models.CharField(
                        choices=[("machine", "machines"), ("anonymous", "visitors nobody knows")],
                        max_length=10,
                        verbose_name="rule",
                    ),
                ),
                ("count", models.BigIntegerField(default=0, verbose_name="events")),
                (
                    "source",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tracking.source",
                    ),
                ),
            ],
            options={
                "ordering": ("-day", "source", "rule"),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("source", "day", "rule"), name="tracking_purgecount_once"
                    )
                ],
            },
        ),
        migrations.RunSQL(FUNCTIONS, NO_FUNCTIONS),
    ]
