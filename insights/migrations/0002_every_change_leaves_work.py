"""Whatever changes a lead's figures leaves a row of work, in the same transaction.

Signals would miss what never passes through a verb: COPY, an edit in the admin, a
change of owner in bulk, an erasure. Statement triggers see them all, once per
statement. session_replication_role = replica switches them off; who does that
calls insights.folding.rebuild afterwards.
"""

from django.db import migrations

TRIGGERS = """
CREATE FUNCTION insights_lead_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO insights_stalelead (lead_id)
  SELECT fresh.id FROM fresh JOIN known USING (id)
   WHERE (fresh.channel, fresh.source, fresh.country, fresh.owner_id)
         IS DISTINCT FROM (known.channel, known.source, known.country, known.owner_id)
      OR (fresh.stage = 'merged') <> (known.stage = 'merged');
  RETURN NULL;
END $$;

CREATE FUNCTION insights_episodes_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO insights_stalelead (lead_id) SELECT DISTINCT lead_id FROM changed;
  RETURN NULL;
END $$;

CREATE TRIGGER insights_lead_changed AFTER UPDATE ON leads_lead
  REFERENCING OLD TABLE AS known NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION insights_lead_changed();
CREATE TRIGGER insights_episodes_added AFTER INSERT ON leads_stageepisode
  REFERENCING NEW TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION insights_episodes_changed();
CREATE TRIGGER insights_episodes_erased AFTER DELETE ON leads_stageepisode
  REFERENCING OLD TABLE AS changed
  FOR EACH STATEMENT EXECUTE FUNCTION insights_episodes_changed();
"""

UNDO = """
DROP TRIGGER insights_lead_changed ON leads_lead;
DROP TRIGGER insights_episodes_added ON leads_stageepisode;
DROP TRIGGER insights_episodes_erased ON leads_stageepisode;
DROP FUNCTION insights_lead_changed, insights_episodes_changed;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("insights", "0001_initial"),
        ("leads", "0003_database_holds_the_lifecycle"),
    ]

    operations = [migrations.RunSQL(TRIGGERS, UNDO)]
