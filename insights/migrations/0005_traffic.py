"""Cells of traffic by day, and triggers that note the days on which something changed.

A visit counts on its own day, and decides whether the same visitor's next visit (of all,
and through the same channel) counts as the first of a period. A lead's stay counts on the
day it began, with the pages that its visits saw.
"""

import django.db.models.functions.datetime
from django.db import migrations, models

TRIGGERS = """
CREATE FUNCTION insights_visits_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO insights_staletraffic (at)
  SELECT DISTINCT date_trunc('hour', note.at)
    FROM changed CROSS JOIN LATERAL (
      SELECT changed.started_at AS at
       UNION ALL
      (SELECT later.started_at FROM tracking_visit AS later
        WHERE later.anonymous_id = changed.anonymous_id AND later.is_machine = changed.is_machine
          AND later.started_at >= changed.started_at AND later.id <> changed.id
        ORDER BY later.started_at LIMIT 1)
       UNION ALL
      (SELECT later.started_at FROM tracking_visit AS later
        WHERE later.anonymous_id = changed.anonymous_id AND later.is_machine = changed.is_machine
          AND later.started_at >= changed.started_at AND later.id <> changed.id
          AND later.channel = changed.channel
        ORDER BY later.started_at LIMIT 1)
       UNION ALL
      SELECT stay.entered_at FROM insights_stay AS stay
       WHERE stay.lead_id = changed.lead_id AND stay.reached_elapsed IS NOT NULL
    ) AS note;
  RETURN NULL;
END $$;

CREATE FUNCTION insights_links_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO insights_staletraffic (at)
  SELECT DISTINCT date_trunc('hour', first.started_at)
    FROM changed JOIN tracking_visitor AS visitor ON visitor.id = changed.visitor_id
    CROSS JOIN LATERAL (
      SELECT visit.started_at FROM tracking_visit AS visit
       WHERE visit.anonymous_id = visitor.anonymous_id AND NOT visit.is_machine
       ORDER BY visit.started_at LIMIT 1) AS first;
  RETURN NULL;
END $$;

CREATE FUNCTION insights_stays_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO insights_staletraffic (at)
  SELECT DISTINCT date_trunc('hour', entered_at) FROM changed WHERE reached_elapsed IS NOT NULL;
  RETURN NULL;
END $$;

CREATE FUNCTION insights_campaigns_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO insights_staletraffic (at)
  SELECT DISTINCT date_trunc('hour', stay.entered_at)
    FROM fresh JOIN known USING (id) JOIN insights_stay AS stay ON stay.lead_id = fresh.id
   WHERE fresh.campaign <> known.campaign AND stay.reached_elapsed IS NOT NULL;
  RETURN NULL;
END $$;

CREATE TRIGGER insights_campaigns_changed AFTER UPDATE ON leads_lead
  REFERENCING OLD TABLE AS known NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION insights_campaigns_changed();
"""
_WATCHED = (
    ("tracking_visit", "visits"),
    ("tracking_visitorlink", "links"),
    ("insights_stay", "stays"),
)
_DEEDS = (
    ("added", "INSERT", "NEW"),
    ("gone", "DELETE", "OLD"),
    ("before", "UPDATE", "OLD"),
    ("after", "UPDATE", "NEW"),
)


def triggers() -> str:
    return "".join(
        f"""
        CREATE TRIGGER insights_{what}_{name} AFTER {deed} ON {table}
          REFERENCING {side} TABLE AS changed
          FOR EACH STATEMENT EXECUTE FUNCTION insights_{what}_changed();"""
        for table, what in _WATCHED
        for name, deed, side in _DEEDS
    )


UNDO = """
DROP FUNCTION insights_visits_changed, insights_links_changed, insights_stays_changed,
  insights_campaigns_changed CASCADE;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("insights", "0004_merges_taken_apart"),
        ("tracking", "0006_channels_and_visits"),
    ]

    operations = [
        migrations.CreateModel(
            name="GoalCell",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day",
                        "stage",
                        "channel",
                        "source",
                        "campaign",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                ("stage", models.CharField(max_length=20)),
                ("channel", models.CharField(max_length=30)),
                ("source", models.CharField(blank=True, max_length=100)),
                ("campaign", models.CharField(blank=True, max_length=200)),
                ("leads", models.IntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="PageCell",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day",
                        "is_machine",
                        "channel",
                        "path",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                ("is_machine", models.BooleanField()),
                ("channel", models.CharField(blank=True, max_length=30)),
                ("path", models.CharField(max_length=500)),
                ("visits", models.IntegerField()),
                ("views", models.IntegerField()),
                ("engaged_ms", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="PageGoalCell",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day",
                        "stage",
                        "channel",
                        "path",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                ("stage", models.CharField(max_length=20)),
                ("channel", models.CharField(blank=True, max_length=30)),
                ("path", models.CharField(max_length=500)),
                ("leads", models.IntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="ReturnCell",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day",
                        "is_machine",
                        "channel",
                        "previous_on",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                ("is_machine", models.BooleanField()),
                ("channel", models.CharField(blank=True, max_length=30)),
                ("previous_on", models.DateField()),
                ("visits", models.IntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="TrafficCell",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "day",
                        "is_machine",
                        "channel",
                        "source",
                        "campaign",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("day", models.DateField()),
                ("is_machine", models.BooleanField()),
                ("channel", models.CharField(max_length=30)),
                ("source", models.CharField(max_length=100)),
                ("campaign", models.CharField(max_length=200)),
                ("visits", models.IntegerField()),
                ("page_views", models.IntegerField()),
                ("engaged_ms", models.BigIntegerField()),
                ("new_visitors", models.IntegerField()),
                ("became_leads", models.IntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="TrafficRollup",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("layout", models.CharField(max_length=200)),
                (
                    "rebuilt_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
            ],
        ),
        migrations.CreateModel(
            name="StaleTraffic",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "queued_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("attempt_count", models.PositiveSmallIntegerField(db_default=0)),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("attempt_count"), models.F("id"), name="insights_staletraffic_next"
                    )
                ],
            },
        ),
        migrations.RunSQL(TRIGGERS + triggers(), UNDO),
    ]
