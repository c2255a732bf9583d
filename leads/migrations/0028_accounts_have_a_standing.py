"""Accounts have a standing, too. PostgreSQL itself keeps up who belongs to an account.

Whatever way a person joins or leaves an account (forms, imports, merges, raw SQL), the
account is marked in the same commit; and every account has its row from the beginning.
"""

from decimal import Decimal

import django.db.models.deletion
import django.db.models.functions.comparison
from django.db import migrations, models

import leads.points

FUNCTIONS = """
CREATE FUNCTION leads_account_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO leads_accountstanding
         (account_id, best, people, roles, recency, person_count, engaged_count, role_count)
  SELECT id, 0, 0, 0, 0, 0, 0, 0 FROM fresh ON CONFLICT DO NOTHING;
  RETURN NULL;
END $$;

CREATE FUNCTION leads_account_has_other_people() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO leads_staleaccount (account_id)
  SELECT DISTINCT account_id FROM touched WHERE account_id IS NOT NULL;
  RETURN NULL;
END $$;

CREATE FUNCTION leads_person_changes_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO leads_staleaccount (account_id)
  SELECT account_id FROM unnest(ARRAY[OLD.account_id, NEW.account_id]) account_id
   WHERE account_id IS NOT NULL AND EXISTS (SELECT FROM leads_account WHERE id = account_id);
  RETURN NULL;
END $$;

CREATE TRIGGER begins AFTER INSERT ON leads_account REFERENCING NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION leads_account_begins();
CREATE TRIGGER joins_account AFTER INSERT ON leads_lead REFERENCING NEW TABLE AS touched
  FOR EACH STATEMENT EXECUTE FUNCTION leads_account_has_other_people();
CREATE TRIGGER leaves_account AFTER DELETE ON leads_lead REFERENCING OLD TABLE AS touched
  FOR EACH STATEMENT EXECUTE FUNCTION leads_account_has_other_people();
CREATE TRIGGER changes_account AFTER UPDATE OF account_id, merged_into_id ON leads_lead
  FOR EACH ROW WHEN (OLD.account_id IS DISTINCT FROM NEW.account_id
                     OR OLD.merged_into_id IS DISTINCT FROM NEW.merged_into_id)
  EXECUTE FUNCTION leads_person_changes_account();

INSERT INTO leads_accountstanding
       (account_id, best, people, roles, recency, person_count, engaged_count, role_count)
SELECT id, 0, 0, 0, 0, 0, 0, 0 FROM leads_account;
INSERT INTO leads_staleaccount (account_id) SELECT id FROM leads_account;
"""

UNDO = """
DROP TRIGGER begins ON leads_account;
DROP TRIGGER joins_account ON leads_lead;
DROP TRIGGER leaves_account ON leads_lead;
DROP TRIGGER changes_account ON leads_lead;
DROP FUNCTION leads_account_begins, leads_account_has_other_people, leads_person_changes_account;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0027_profiles_before_merges"),
    ]

    operations = [
        migrations.CreateModel(
            name="StaleAccount",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="leads.account",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AccountStanding",
            fields=[
                (
                    "account",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="standing",
                        serialize=False,
                        to="leads.account",
                    ),
                ),
                (
                    "score",
                    leads.points.PointsField(
                        decimal_places=2, max_digits=9, null=True, verbose_name="score"
                    ),
                ),
                ("best", leads.points.PointsField(decimal_places=2, default=0, max_digits=9)),
                ("people", leads.points.PointsField(decimal_places=2, default=0, max_digits=9)),
                ("roles", leads.points.PointsField(decimal_places=2, default=0, max_digits=9)),
                ("recency", leads.points.PointsField(decimal_places=2, default=0, max_digits=9)),
                ("person_count", models.PositiveIntegerField(default=0)),
                ("engaged_count", models.PositiveIntegerField(default=0)),
                ("role_count", models.PositiveIntegerField(default=0)),
                ("last_activity_at", models.DateTimeField(null=True)),
                ("scored_at", models.DateTimeField(null=True)),
                (
                    "best_lead",
                    models.ForeignKey(
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="leads.lead",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.OrderBy(
                            django.db.models.functions.comparison.Coalesce(
                                "score",
                                models.Value(
                                    Decimal("-1000000"),
                                    output_field=leads.points.PointsField(
                                        decimal_places=2, max_digits=9
                                    ),
                                ),
                            ),
                            descending=True,
                        ),
                        models.F("account"),
                        name="leads_accountstanding_score",
                    )
                ],
            },
        ),
        migrations.RunSQL(FUNCTIONS, UNDO),
    ]
