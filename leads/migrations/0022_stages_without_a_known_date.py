"""A lead repeats whether anybody knows when it entered its stage.

Lists and figures of the lead must not show a bound that an import set as a date. Like the
other caches of the newest episode, PostgreSQL compares this one at COMMIT.
"""

from datetime import UTC, datetime

from django.db import migrations, models
from django.db.models import Case, F, OrderBy, Value, When

SINCE = Case(
    When(is_stage_date_unknown=True, then=Value(datetime(1970, 1, 1, tzinfo=UTC))),
    default=F("stage_entered_at"),
)

KNOWN_SO_FAR = """
UPDATE leads_lead l SET is_stage_date_unknown = true
  FROM leads_stageepisode e
 WHERE e.lead_id = l.id AND e.left_at IS NULL AND e.is_date_unknown;
"""

GUARD = """
CREATE OR REPLACE FUNCTION leads_lead_follows_history() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  mine bigint := (to_jsonb(NEW) ->> TG_ARGV[0])::bigint;
BEGIN
  IF EXISTS (SELECT 1 FROM leads_lead WHERE id = mine) AND NOT EXISTS (
      SELECT 1 FROM leads_lead l JOIN leads_stageepisode e
          ON e.lead_id = l.id AND e.seq = l.episode_seq AND e.left_at IS NULL
       WHERE l.id = mine AND (l.stage, l.cycle, l.stage_entered_at, l.is_stage_date_unknown)
             = (e.stage, e.cycle, e.entered_at, e.is_date_unknown)) THEN
    RAISE EXCEPTION 'Lead % must stand where its newest episode says.', mine
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
DROP TRIGGER follows_history ON leads_lead;
CREATE CONSTRAINT TRIGGER follows_history
  AFTER INSERT OR UPDATE OF stage, stage_entered_at, is_stage_date_unknown, cycle, episode_seq
  ON leads_lead DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION leads_lead_follows_history('id');
"""

# As in 0013.
GUARD_BEFORE = """
CREATE OR REPLACE FUNCTION leads_lead_follows_history() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  mine bigint := (to_jsonb(NEW) ->> TG_ARGV[0])::bigint;
BEGIN
  IF EXISTS (SELECT 1 FROM leads_lead WHERE id = mine) AND NOT EXISTS (
      SELECT 1 FROM leads_lead l JOIN leads_stageepisode e
          ON e.lead_id = l.id AND e.seq = l.episode_seq AND e.left_at IS NULL
       WHERE l.id = mine AND (l.stage, l.cycle, l.stage_entered_at)
             = (e.stage, e.cycle, e.entered_at)) THEN
    RAISE EXCEPTION 'Lead % must stand where its newest episode says.', mine
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
DROP TRIGGER follows_history ON leads_lead;
CREATE CONSTRAINT TRIGGER follows_history
  AFTER INSERT OR UPDATE OF stage, stage_entered_at, cycle, episode_seq ON leads_lead
  DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION leads_lead_follows_history('id');
"""


class Migration(migrations.Migration):
    dependencies = [("leads", "0021_search_addresses_by_word")]

    operations = [
        migrations.AddField(
            "lead",
            "is_stage_date_unknown",
            models.BooleanField(db_default=False, default=False, editable=False),
        ),
        migrations.RunSQL(KNOWN_SO_FAR, migrations.RunSQL.noop),
        migrations.RunSQL(GUARD, GUARD_BEFORE),
        migrations.RemoveIndex("lead", "leads_lead_stage_since"),
        migrations.RemoveIndex("lead", "leads_lead_since"),
        migrations.AddIndex(
            "lead",
            models.Index(
                "stage", OrderBy(SINCE, descending=True), "id", name="leads_lead_stage_since"
            ),
        ),
        migrations.AddIndex(
            "lead",
            models.Index(OrderBy(SINCE, descending=True), "id", name="leads_lead_since"),
        ),
    ]
