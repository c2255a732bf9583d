"""Whoever could add a legal move could make any jump legal: only a migration changes the list.

A migration says so in its own transaction, before it changes leads_stagemove:
RunSQL("SET LOCAL funnel.migrating = 'on'").
"""

from django.db import migrations

GUARD = """
CREATE FUNCTION leads_refuse_unless_migrating() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(current_setting('funnel.migrating', true), '') = 'on' THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION '% is changed by migrations only.', TG_TABLE_NAME
    USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER only_migrations BEFORE INSERT OR UPDATE OR DELETE ON leads_stagemove
  FOR EACH STATEMENT EXECUTE FUNCTION leads_refuse_unless_migrating();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON leads_stagemove
  FOR EACH STATEMENT EXECUTE FUNCTION leads_refuse_truncate();
"""

UNDO = """
DROP TRIGGER only_migrations ON leads_stagemove;
DROP TRIGGER no_truncate ON leads_stagemove;
DROP FUNCTION leads_refuse_unless_migrating;
"""


class Migration(migrations.Migration):
    dependencies = [("leads", "0022_stages_without_a_known_date")]
    operations = [migrations.RunSQL(GUARD, UNDO)]
