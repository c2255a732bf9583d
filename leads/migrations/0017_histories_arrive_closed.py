"""An imported history arrives with its closed stays closed, at a third of the cost.

Each stay used to arrive open and to be closed by the next one: an UPDATE, and a new
entry in eight indexes, per row. A stay may now arrive closed if the next one, in the
same transaction, begins exactly when and how it ended. Nothing else becomes possible:

* the successor is compared when it arrives, and looked for again at COMMIT;
* an open stay is still closed by its successor alone, and the newest stay is open:
  it is the one that a lead has to follow.
"""

from django.db import migrations

CLOSED_ON_ARRIVAL = """
CREATE OR REPLACE FUNCTION leads_episode_close_previous() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  previous record;
BEGIN
  IF NEW.seq > 1 THEN
    SELECT left_at, exit_kind, cycle INTO previous FROM leads_stageepisode
     WHERE lead_id = NEW.lead_id AND seq = NEW.seq - 1;
    IF (previous.left_at, previous.exit_kind, previous.cycle)
        = (NEW.entered_at, NEW.entry_kind, NEW.cycle - NEW.starts_cycle::int) THEN
      RETURN NEW;
    END IF;
    UPDATE leads_stageepisode
       SET left_at = NEW.entered_at, exit_kind = NEW.entry_kind
     WHERE lead_id = NEW.lead_id AND seq = NEW.seq - 1 AND left_at IS NULL
       AND cycle = NEW.cycle - NEW.starts_cycle::int;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'Lead % has no open episode % in the right cycle to follow.',
        NEW.lead_id, NEW.seq - 1 USING ERRCODE = 'unique_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION leads_episode_has_successor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM leads_stageepisode
    WHERE lead_id = NEW.lead_id AND seq = NEW.seq + 1
      AND entered_at = NEW.left_at AND entry_kind = NEW.exit_kind;
  IF NOT FOUND AND EXISTS (SELECT 1 FROM leads_stageepisode WHERE id = NEW.id) THEN
    RAISE EXCEPTION 'Episode % of lead % was closed without a successor.', NEW.seq, NEW.lead_id
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER arrives_with_successor AFTER INSERT ON leads_stageepisode
  DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.left_at IS NOT NULL) EXECUTE FUNCTION leads_episode_has_successor();

DROP TRIGGER lead_follows ON leads_stageepisode;
CREATE CONSTRAINT TRIGGER lead_follows AFTER INSERT ON leads_stageepisode
  DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.left_at IS NULL) EXECUTE FUNCTION leads_lead_follows_history('lead_id');
"""

# As in 0003 and 0013.
CLOSED_BY_THE_NEXT = """
DROP TRIGGER arrives_with_successor ON leads_stageepisode;
DROP TRIGGER lead_follows ON leads_stageepisode;
CREATE CONSTRAINT TRIGGER lead_follows AFTER INSERT ON leads_stageepisode
  DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION leads_lead_follows_history('lead_id');

CREATE OR REPLACE FUNCTION leads_episode_close_previous() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.left_at IS NOT NULL OR NEW.exit_kind <> '' THEN
    RAISE EXCEPTION 'An episode is closed by its successor, not by hand.'
      USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.seq > 1 THEN
    UPDATE leads_stageepisode
       SET left_at = NEW.entered_at, exit_kind = NEW.entry_kind
     WHERE lead_id = NEW.lead_id AND seq = NEW.seq - 1 AND left_at IS NULL
       AND cycle = NEW.cycle - NEW.starts_cycle::int;
    IF NOT FOUND THEN
      RAISE EXCEPTION 'Lead % has no open episode % in the right cycle to follow.',
        NEW.lead_id, NEW.seq - 1 USING ERRCODE = 'unique_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION leads_episode_has_successor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM leads_stageepisode
                  WHERE lead_id = NEW.lead_id AND seq = NEW.seq + 1)
     AND EXISTS (SELECT 1 FROM leads_stageepisode WHERE id = NEW.id) THEN
    RAISE EXCEPTION 'Episode % of lead % was closed without a successor.', NEW.seq, NEW.lead_id
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("leads", "0016_a_new_cycle_needs_new_evidence")]
    operations = [migrations.RunSQL(CLOSED_ON_ARRIVAL, CLOSED_BY_THE_NEXT)]
