"""Two leads that are one person are merged, and a merge can be taken apart.

* `merged_into` stands if and only if the lead is in stage Merged, and leads in no circle.
* A stage may be reached again by a merge or its undoing, which is no step of the funnel.
* Out of Merged a lead returns only to the stage that the merge took it from.
"""

import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions
import django.db.models.functions.datetime
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

STAGES = ("lead", "qualified", "mql", "sal", "sql", "customer", "disqualified", "lost", "churned")

GUARDS = """
CREATE FUNCTION leads_episode_returns_where_it_was() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM leads_stageepisode
                  WHERE lead_id = NEW.lead_id AND seq = NEW.seq - 1 AND stage = 'merged'
                    AND from_stage = NEW.stage AND cycle = NEW.cycle) THEN
    RAISE EXCEPTION 'Lead % was not merged out of %.', NEW.lead_id, NEW.stage
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER returns_where_it_was BEFORE INSERT ON leads_stageepisode
  FOR EACH ROW WHEN (NEW.entry_kind = 'restored')
  EXECUTE FUNCTION leads_episode_returns_where_it_was();

CREATE FUNCTION leads_lead_merged_in_a_circle() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  there bigint := NEW.merged_into_id;
BEGIN
  WHILE there IS NOT NULL LOOP
    IF there = NEW.id THEN
      RAISE EXCEPTION 'Lead % cannot be merged into itself.', NEW.id
        USING ERRCODE = 'check_violation';
    END IF;
    SELECT merged_into_id INTO there FROM leads_lead WHERE id = there;
  END LOOP;
  RETURN NULL;
END $$;
CREATE TRIGGER no_circle AFTER INSERT OR UPDATE OF merged_into_id ON leads_lead
  FOR EACH ROW WHEN (NEW.merged_into_id IS NOT NULL)
  EXECUTE FUNCTION leads_lead_merged_in_a_circle();
"""

UNDO = """
DROP TRIGGER no_circle ON leads_lead;
DROP TRIGGER returns_where_it_was ON leads_stageepisode;
DROP FUNCTION leads_episode_returns_where_it_was, leads_lead_merged_in_a_circle;
"""


def allow(apps, schema_editor):
    moves = apps.get_model("leads", "StageMove").objects
    for stage in STAGES:  # a new database has them since 0003
        moves.get_or_create(
            from_stage="merged", to_stage=stage, kind="restored", starts_cycle=False
        )


def forbid(apps, schema_editor):
    apps.get_model("leads", "StageMove").objects.filter(kind="restored").delete()


ENTRY_KINDS = [
    ("captured", "captured"),
    ("advanced", "advanced"),
    ("recycled", "recycled"),
    ("disqualified", "disqualified"),
    ("lost", "lost"),
    ("churned", "churned"),
    ("reopened", "reopened"),
    ("merged", "merged"),
    ("restored", "restored"),
]
ACTORS = [("user", "user"), ("rule", "rule"), ("import", "import"), ("system", "system")]
REASONS = [
    ("mailbox", "the same mailbox, spelled in another way"),
    ("external_id", "the same id in another system"),
    ("phone", "the same phone number"),
    ("name", "the same name at the same company"),
]


def to_lead(name, **options):
    return models.ForeignKey(
        on_delete=django.db.models.deletion.CASCADE, related_name=name, to="leads.lead", **options
    )


def to_user():
    return models.ForeignKey(
        null=True,
        on_delete=django.db.models.deletion.PROTECT,
        related_name="+",
        to=settings.AUTH_USER_MODEL,
    )


def key():
    return models.BigAutoField(
        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
    )


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0017_histories_arrive_closed"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterField(
            "stageepisode",
            "entry_kind",
            models.CharField(choices=ENTRY_KINDS, max_length=20),
        ),
        migrations.AlterField(
            "stageepisode",
            "exit_kind",
            models.CharField(blank=True, choices=ENTRY_KINDS, max_length=20),
        ),
        migrations.AlterField(
            "stagemove", "kind", models.CharField(choices=ENTRY_KINDS, max_length=20)
        ),
        migrations.RemoveConstraint("stageepisode", "leads_episode_stage_once_per_cycle"),
        migrations.AddConstraint(
            "stageepisode",
            models.UniqueConstraint(
                condition=~Q(entry_kind__in=("merged", "restored")),
                fields=("lead", "cycle", "stage"),
                name="leads_episode_stage_once_per_cycle",
            ),
        ),
        migrations.AddField(
            "lead",
            "merged_into",
            models.ForeignKey(
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="merged_leads",
                to="leads.lead",
            ),
        ),
        migrations.AddConstraint(
            "lead",
            models.CheckConstraint(
                condition=Q(stage="merged", merged_into__isnull=False)
                | (~Q(stage="merged") & Q(merged_into=None)),
                name="leads_lead_merged_somewhere",
            ),
        ),
        migrations.AddIndex(
            "lead",
            models.Index(
                django.db.models.functions.Lower("email"),
                condition=Q(stage="merged"),
                name="leads_lead_merged_email",
            ),
        ),
        migrations.CreateModel(
            name="Merge",
            fields=[
                ("id", key()),
                ("choices", models.JSONField(default=dict)),
                ("changes", models.JSONField(default=dict)),
                (
                    "roles",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=20), default=list, size=None
                    ),
                ),
                ("merged_at", models.DateTimeField(verbose_name="merged")),
                ("actor_kind", models.CharField(choices=ACTORS, max_length=10)),
                ("actor_label", models.CharField(blank=True, max_length=200)),
                ("reason", models.TextField(verbose_name="reason")),
                ("undone_at", models.DateTimeField(null=True, verbose_name="taken apart")),
                ("undone_by_label", models.CharField(blank=True, max_length=200)),
                ("undone_reason", models.TextField(blank=True)),
                ("actor", to_user()),
                ("loser", to_lead("merged_by")),
                ("survivor", to_lead("merges")),
                ("undone_by", to_user()),
            ],
            options={
                "verbose_name": "merge",
                "verbose_name_plural": "merges",
                "ordering": ("-merged_at", "-id"),
                "constraints": [
                    models.UniqueConstraint(
                        condition=Q(undone_at=None), fields=("loser",), name="leads_merge_one_open"
                    ),
                    models.CheckConstraint(
                        condition=~Q(survivor=F("loser")), name="leads_merge_two_different_leads"
                    ),
                    models.CheckConstraint(
                        condition=Q(undone_at=None)
                        | Q(undone_at__isnull=False, undone_at__gte=F("merged_at")),
                        name="leads_merge_undone_later",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Duplicate",
            fields=[
                ("id", key()),
                (
                    "reasons",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(choices=REASONS, max_length=20), size=None
                    ),
                ),
                (
                    "found_at",
                    models.DateTimeField(db_default=django.db.models.functions.datetime.Now()),
                ),
                ("dismissed_at", models.DateTimeField(null=True, verbose_name="not a duplicate")),
                ("dismissed_by", to_user()),
                ("first", to_lead("+")),
                ("second", to_lead("+")),
            ],
            options={
                "verbose_name": "possible duplicate",
                "verbose_name_plural": "possible duplicates",
                "constraints": [
                    models.UniqueConstraint(
                        fields=("first", "second"), name="leads_duplicate_once"
                    ),
                    models.CheckConstraint(
                        condition=Q(first__lt=F("second")), name="leads_duplicate_in_order"
                    ),
                ],
                "indexes": [
                    models.Index(
                        F("found_at").desc(),
                        F("id"),
                        condition=Q(dismissed_at=None),
                        name="leads_duplicate_waiting",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="DuplicateSearch",
            fields=[("id", key()), ("searched_at", models.DateTimeField(null=True))],
        ),
        migrations.RunPython(allow, forbid),
        migrations.RunSQL(GUARDS, UNDO),
    ]
