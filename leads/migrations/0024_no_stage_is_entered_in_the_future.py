"""Nobody has entered a stage that begins tomorrow.

A day is allowed for clocks and time zones that disagree. A CHECK may not ask for now(),
the condition of a trigger may; it costs a row nothing unless it is true.
"""

from django.db import migrations

GUARD = """
CREATE FUNCTION leads_episode_in_the_future() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'Lead % cannot enter % on %, which lies in the future.',
    NEW.lead_id, NEW.stage, NEW.entered_at USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER not_in_the_future BEFORE INSERT ON leads_stageepisode
  FOR EACH ROW WHEN (NEW.entered_at > now() + interval '1 day')
  EXECUTE FUNCTION leads_episode_in_the_future();
"""

UNDO = """
DROP TRIGGER not_in_the_future ON leads_stageepisode;
DROP FUNCTION leads_episode_in_the_future;
"""


class Migration(migrations.Migration):
    dependencies = [("leads", "0023_only_migrations_change_the_moves")]
    operations = [migrations.RunSQL(GUARD, UNDO)]
