"""What PostgreSQL itself refuses, even in raw SQL.

* a move that is not in leads_stagemove (foreign key);
* a gap or a fork in a lead's chain of episodes (foreign key to the row before);
* a second decision on the same step (unique lead + seq);
* a closed episode without a successor (deferred constraint trigger);
* any edit or deletion of history. Erasing a person is the one exception: it
  says so with SET LOCAL funnel.erasing = 'on' in its own transaction.
"""

from django.db import migrations

from leads.stages import MOVES

LEGALITY = """
ALTER TABLE leads_stageepisode
  ADD CONSTRAINT leads_episode_place UNIQUE (lead_id, seq, stage),
  ADD CONSTRAINT leads_episode_unbroken
    FOREIGN KEY (lead_id, previous_seq, from_stage)
    REFERENCES leads_stageepisode (lead_id, seq, stage),
  ADD CONSTRAINT leads_episode_legal_move
    FOREIGN KEY (from_stage, stage, entry_kind, starts_cycle)
    REFERENCES leads_stagemove (from_stage, to_stage, kind, starts_cycle);
"""

FUNCTIONS = """
CREATE FUNCTION leads_episode_close_previous() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE FUNCTION leads_episode_has_successor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM leads_stageepisode
                  WHERE lead_id = NEW.lead_id AND seq = NEW.seq + 1)
     AND EXISTS (SELECT 1 FROM leads_stageepisode WHERE id = NEW.id) THEN
    RAISE EXCEPTION 'Episode % of lead % was closed without a successor.', NEW.seq, NEW.lead_id
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE FUNCTION leads_episode_is_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- The one lawful change: closing, from within leads_episode_close_previous.
  IF pg_trigger_depth() > 1 AND OLD.left_at IS NULL AND NEW.left_at IS NOT NULL
     AND to_jsonb(OLD) - 'left_at' - 'exit_kind' = to_jsonb(NEW) - 'left_at' - 'exit_kind' THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'Stage history is never edited.' USING ERRCODE = 'check_violation';
END $$;

CREATE FUNCTION leads_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(current_setting('funnel.erasing', true), '') = 'on' THEN
    RETURN coalesce(NEW, OLD);
  END IF;
  RAISE EXCEPTION '% is append-only.', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$;

CREATE FUNCTION leads_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(current_setting('funnel.truncating', true), '') = 'on' THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION '% is append-only.', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$;
"""

TRIGGERS = """
CREATE TRIGGER close_previous BEFORE INSERT ON leads_stageepisode
  FOR EACH ROW EXECUTE FUNCTION leads_episode_close_previous();
CREATE TRIGGER is_history BEFORE UPDATE ON leads_stageepisode
  FOR EACH ROW EXECUTE FUNCTION leads_episode_is_history();
CREATE CONSTRAINT TRIGGER has_successor AFTER UPDATE ON leads_stageepisode
  DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION leads_episode_has_successor();
CREATE TRIGGER no_delete BEFORE DELETE ON leads_stageepisode
  FOR EACH ROW EXECUTE FUNCTION leads_refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON leads_stageepisode
  FOR EACH STATEMENT EXECUTE FUNCTION leads_refuse_truncate();
CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON leads_consent
  FOR EACH ROW EXECUTE FUNCTION leads_refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON leads_consent
  FOR EACH STATEMENT EXECUTE FUNCTION leads_refuse_truncate();
CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON leads_auditentry
  FOR EACH ROW EXECUTE FUNCTION leads_refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON leads_auditentry
  FOR EACH STATEMENT EXECUTE FUNCTION leads_refuse_truncate();
"""

UNDO = """
DROP TRIGGER close_previous ON leads_stageepisode;
DROP TRIGGER is_history ON leads_stageepisode;
DROP TRIGGER has_successor ON leads_stageepisode;
DROP TRIGGER no_delete ON leads_stageepisode;
DROP TRIGGER no_truncate ON leads_stageepisode;
DROP TRIGGER no_change ON leads_consent;
DROP TRIGGER no_truncate ON leads_consent;
DROP TRIGGER no_change ON leads_auditentry;
DROP TRIGGER no_truncate ON leads_auditentry;
DROP FUNCTION leads_episode_close_previous, leads_episode_has_successor,
  leads_episode_is_history, leads_refuse_change, leads_refuse_truncate;
ALTER TABLE leads_stageepisode
  DROP CONSTRAINT leads_episode_unbroken, DROP CONSTRAINT leads_episode_legal_move,
  DROP CONSTRAINT leads_episode_place;
"""

CRITERIA = [
    ("lead", "has_valid_email", {}),
    ("lead", "has_consent", {}),
    ("qualified", "score_reaches_threshold", {}),
    ("qualified", "fit_and_interest", {}),
    ("qualified", "nothing_blocks", {}),
    ("qualified", "not_before_has_passed", {}),
    ("mql", "handoff_accepted", {}),
    ("sal", "bant_minimum", {"minimum": 3}),
    ("sal", "buying_roles_known", {"roles": ["decision_maker"]}),
    ("sql", "opportunity_won", {}),
]


def fill(apps, schema_editor):
    move = apps.get_model("leads", "StageMove")
    move.objects.bulk_create(move(**m._asdict()) for m in MOVES)
    criterion = apps.get_model("leads", "Criterion")
    criterion.objects.bulk_create(
        criterion(stage=stage, kind=kind, params=params, position=position)
        for position, (stage, kind, params) in enumerate(CRITERIA)
    )


def empty(apps, schema_editor):
    apps.get_model("leads", "StageMove").objects.all().delete()
    apps.get_model("leads", "Criterion").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("leads", "0002_initial")]

    operations = [
        migrations.RunPython(fill, empty),
        migrations.RunSQL(LEGALITY + FUNCTIONS + TRIGGERS, UNDO),
    ]
