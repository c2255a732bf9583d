"""Channel rules as rows, visits, and triggers that note whose visits are to be folded anew.

Triggers see what no verb does: a merge that gives events to another lead, another
verdict, an erasure. New events are noted when their work row is taken away, attached or
set aside, so storing them costs nothing more. session_replication_role = replica
switches triggers off; who does that calls tracking.visiting.rebuild afterwards.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.datetime
from django.db import migrations, models

from tracking.default_channels import default_rules

TRIGGERS = """
CREATE FUNCTION tracking_events_settled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tracking_stalevisits (anonymous_id, lead_id, since)
  SELECT event.anonymous_id, CASE WHEN event.anonymous_id = '' THEN event.lead_id END,
         min(event.occurred_at)
    FROM settled JOIN tracking_event event ON event.id = settled.event_id
   WHERE event.anonymous_id <> '' OR event.lead_id IS NOT NULL
   GROUP BY 1, 2;
  RETURN NULL;
END $$;

CREATE FUNCTION tracking_events_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tracking_stalevisits (anonymous_id, lead_id, since)
  SELECT anonymous_id, lead_id, min(occurred_at) FROM (
    SELECT fresh.anonymous_id, fresh.occurred_at,
           CASE WHEN fresh.anonymous_id = '' THEN owner.lead_id END AS lead_id
      FROM fresh JOIN known USING (id),
           LATERAL (VALUES (fresh.lead_id), (known.lead_id)) AS owner (lead_id)
     WHERE (fresh.lead_id, fresh.verdict) IS DISTINCT FROM (known.lead_id, known.verdict)
  ) AS changed WHERE anonymous_id <> '' OR lead_id IS NOT NULL GROUP BY 1, 2;
  RETURN NULL;
END $$;

CREATE FUNCTION tracking_events_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tracking_stalevisits (anonymous_id, lead_id, since)
  SELECT anonymous_id, CASE WHEN anonymous_id = '' THEN lead_id END, min(occurred_at)
    FROM erased WHERE anonymous_id <> '' OR lead_id IS NOT NULL GROUP BY 1, 2;
  RETURN NULL;
END $$;

CREATE TRIGGER tracking_events_settled AFTER DELETE ON tracking_pendingevent
  REFERENCING OLD TABLE AS settled
  FOR EACH STATEMENT EXECUTE FUNCTION tracking_events_settled();
CREATE TRIGGER tracking_events_changed AFTER UPDATE ON tracking_event
  REFERENCING OLD TABLE AS known NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION tracking_events_changed();
CREATE TRIGGER tracking_events_erased AFTER DELETE ON tracking_event
  REFERENCING OLD TABLE AS erased
  FOR EACH STATEMENT EXECUTE FUNCTION tracking_events_erased();
"""

UNDO = """
DROP TRIGGER tracking_events_settled ON tracking_pendingevent;
DROP TRIGGER tracking_events_changed ON tracking_event;
DROP TRIGGER tracking_events_erased ON tracking_event;
DROP FUNCTION tracking_events_settled, tracking_events_changed, tracking_events_erased;
"""


def write_rules(apps, schema_editor):
    rule = apps.get_model("tracking", "ChannelRule")
    rule.objects.bulk_create(rule(**columns) for columns in default_rules())
    apps.get_model("tracking", "ChannelRuleset").objects.create(pk=1)


def drop_rules(apps, schema_editor):
    """Going back drops the tables."""


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0019_touches"),
        ("tracking", "0005_signals_and_networks"),
    ]

    operations = [
        migrations.CreateModel(
            name="ChannelRule",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("position", models.PositiveIntegerField(db_index=True, verbose_name="position")),
                (
                    "subject",
                    models.CharField(
                        choices=[
                            ("utm_medium", "UTM medium"),
                            ("utm_source", "UTM source"),
                            ("utm_campaign", "UTM campaign"),
                            ("utm", "Any UTM value"),
                            ("click_id", "Click id"),
                            ("referrer", "Referring domain"),
                            ("landing_path", "Landing page"),
                        ],
                        max_length=20,
                        verbose_name="looks at",
                    ),
                ),
                (
                    "operator",
                    models.CharField(
                        choices=[
                            ("present", "is there"),
                            ("is", "is one of"),
                            ("domain", "is the site or name"),
                            ("contains", "contains"),
                            ("begins", "begins with"),
                        ],
                        max_length=10,
                        verbose_name="which",
                    ),
                ),
                (
                    "values",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200), blank=True, default=list
                    ),
                ),
                (
                    "also_subject",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("utm_medium", "UTM medium"),
                            ("utm_source", "UTM source"),
                            ("utm_campaign", "UTM campaign"),
                            ("utm", "Any UTM value"),
                            ("click_id", "Click id"),
                            ("referrer", "Referring domain"),
                            ("landing_path", "Landing page"),
                        ],
                        default="",
                        max_length=20,
                        verbose_name="and at",
                    ),
                ),
                (
                    "also_operator",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("present", "is there"),
                            ("is", "is one of"),
                            ("domain", "is the site or name"),
                            ("contains", "contains"),
                            ("begins", "begins with"),
                        ],
                        default="",
                        max_length=10,
                        verbose_name="which",
                    ),
                ),
                (
                    "also_values",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200), blank=True, default=list
                    ),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("organic_search", "Organic search"),
                            ("paid_search", "Paid search"),
                            ("organic_social", "Organic social"),
                            ("paid_social", "Paid social"),
                            ("email", "E-mail"),
                            ("direct", "Direct"),
                            ("web_referral", "Web referral"),
                            ("customer_referral", "Customer referral"),
                            ("display", "Display"),
                            ("affiliate", "Affiliate"),
                            ("event", "Event"),
                            ("review_site", "Review site"),
                            ("ai_assistant", "AI assistant"),
                            ("offline", "Offline"),
                            ("other", "Other"),
                            ("unknown", "Unknown"),
                        ],
                        max_length=30,
                        verbose_name="channel",
                    ),
                ),
                (
                    "source",
                    models.CharField(blank=True, default="", max_length=100, verbose_name="source"),
                ),
                (
                    "medium",
                    models.CharField(blank=True, default="", max_length=100, verbose_name="medium"),
                ),
                ("is_active", models.BooleanField(default=True, verbose_name="active")),
            ],
            options={
                "verbose_name": "channel rule",
                "verbose_name_plural": "channel rules",
                "ordering": ("position", "id"),
            },
        ),
        migrations.CreateModel(
            name="ChannelRuleset",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("revision", models.PositiveIntegerField(default=1)),
                (
                    "changed_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("reclassified_up_to", models.BigIntegerField(null=True)),
                ("restated_count", models.PositiveIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="StaleVisits",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("anonymous_id", models.CharField(blank=True, max_length=200)),
                ("lead_id", models.BigIntegerField(null=True)),
                ("since", models.DateTimeField()),
                (
                    "queued_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("attempt_count", models.PositiveSmallIntegerField(db_default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Visit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("anonymous_id", models.CharField(max_length=200)),
                ("is_machine", models.BooleanField(default=False, verbose_name="machine")),
                ("started_at", models.DateTimeField(verbose_name="started")),
                ("ended_at", models.DateTimeField(verbose_name="last seen")),
                ("event_count", models.PositiveIntegerField()),
                ("page_views", models.PositiveIntegerField(verbose_name="page views")),
                ("engaged_ms", models.BigIntegerField(default=0)),
                ("pages", models.JSONField(default=dict)),
                ("has_utm", models.BooleanField(default=False)),
                ("click_id", models.CharField(blank=True, max_length=20)),
                (
                    "referrer",
                    models.CharField(blank=True, max_length=100, verbose_name="referring domain"),
                ),
                (
                    "landing_path",
                    models.CharField(blank=True, max_length=500, verbose_name="landing page"),
                ),
                (
                    "channel",
                    models.CharField(
                        choices=[
                            ("organic_search", "Organic search"),
                            ("paid_search", "Paid search"),
                            ("organic_social", "Organic social"),
                            ("paid_social", "Paid social"),
                            ("email", "E-mail"),
                            ("direct", "Direct"),
                            ("web_referral", "Web referral"),
                            ("customer_referral", "Customer referral"),
                            ("display", "Display"),
                            ("affiliate", "Affiliate"),
                            ("event", "Event"),
                            ("review_site", "Review site"),
                            ("ai_assistant", "AI assistant"),
                            ("offline", "Offline"),
                            ("other", "Other"),
                            ("unknown", "Unknown"),
                        ],
                        max_length=30,
                        verbose_name="channel",
                    ),
                ),
                ("source", models.CharField(blank=True, max_length=100, verbose_name="source")),
                ("medium", models.CharField(blank=True, max_length=100, verbose_name="medium")),
                ("campaign", models.CharField(blank=True, max_length=200, verbose_name="campaign")),
            ],
            options={
                "verbose_name": "visit",
                "verbose_name_plural": "visits",
            },
        ),
        migrations.RemoveIndex(
            model_name="event",
            name="tracking_event_anonymous",
        ),
        migrations.AlterField(
            model_name="visitor",
            name="channel",
            field=models.CharField(
                choices=[
                    ("organic_search", "Organic search"),
                    ("paid_search", "Paid search"),
                    ("organic_social", "Organic social"),
                    ("paid_social", "Paid social"),
                    ("email", "E-mail"),
                    ("direct", "Direct"),
                    ("web_referral", "Web referral"),
                    ("customer_referral", "Customer referral"),
                    ("display", "Display"),
                    ("affiliate", "Affiliate"),
                    ("event", "Event"),
                    ("review_site", "Review site"),
                    ("ai_assistant", "AI assistant"),
                    ("offline", "Offline"),
                    ("other", "Other"),
                    ("unknown", "Unknown"),
                ],
                default="unknown",
                max_length=30,
                verbose_name="channel",
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                models.F("lead"),
                models.F("occurred_at"),
                condition=models.Q(
                    (
                        "kind__in",
                        [
                            "call_held",
                            "event_attended",
                            "meeting_held",
                            "referral_made",
                            "review_posted",
                            "social_contact",
                            "webinar_attended",
                        ],
                    ),
                    ("lead__isnull", False),
                ),
                name="tracking_event_touchpoint",
            ),
        ),
        migrations.AddIndex(
            model_name="event",
            index=models.Index(
                models.F("anonymous_id"),
                models.F("occurred_at"),
                condition=models.Q(("anonymous_id", ""), _negated=True),
                name="tracking_event_of_browser",
            ),
        ),
        migrations.AddConstraint(
            model_name="channelruleset",
            constraint=models.CheckConstraint(
                condition=models.Q(("pk", 1)), name="tracking_channelruleset_once"
            ),
        ),
        migrations.AddIndex(
            model_name="stalevisits",
            index=models.Index(
                models.F("attempt_count"), models.F("id"), name="tracking_stalevisits_next"
            ),
        ),
        migrations.AddField(
            model_name="visit",
            name="lead",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="visits",
                to="leads.lead",
            ),
        ),
        migrations.AddField(
            model_name="visit",
            name="rule",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="tracking.channelrule",
            ),
        ),
        migrations.AddIndex(
            model_name="visit",
            index=models.Index(
                models.F("anonymous_id"),
                models.F("is_machine"),
                models.F("started_at"),
                name="tracking_visit_of",
            ),
        ),
        migrations.AddIndex(
            model_name="visit",
            index=models.Index(models.F("started_at"), name="tracking_visit_started"),
        ),
        migrations.AddIndex(
            model_name="visit",
            index=models.Index(
                models.F("lead"),
                models.OrderBy(models.F("started_at"), descending=True),
                condition=models.Q(("lead__isnull", False)),
                name="tracking_visit_of_lead",
            ),
        ),
        migrations.RunSQL(TRIGGERS, UNDO),
        migrations.RunPython(write_rules, drop_rules),
    ]
