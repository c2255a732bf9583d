"""A lead's stage is what its newest episode says, even after raw SQL.

leads_lead repeats stage, date, cycle and number of the open episode, for lists and
filters. Both sides are compared at COMMIT, so that one transaction may write them in
any order; a lead without history is refused as well.
"""

from django.db import migrations

GUARD = """
CREATE FUNCTION leads_lead_follows_history() RETURNS trigger LANGUAGE plpgsql AS $$
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
CREATE CONSTRAINT TRIGGER follows_history
  AFTER INSERT OR UPDATE OF stage, stage_entered_at, cycle, episode_seq ON leads_lead
  DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION leads_lead_follows_history('id');
CREATE CONSTRAINT TRIGGER lead_follows AFTER INSERT ON leads_stageepisode
  DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION leads_lead_follows_history('lead_id');
"""

UNDO = """
DROP TRIGGER follows_history ON leads_lead;
DROP TRIGGER lead_follows ON leads_stageepisode;
DROP FUNCTION leads_lead_follows_history;
"""


class Migration(migrations.Migration):
    dependencies = [("leads", "0012_audit_entries_in_words")]
    operations = [migrations.RunSQL(GUARD, UNDO)]
