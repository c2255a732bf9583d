"""What PostgreSQL itself refuses, even in raw SQL.

* any change of a published version, except that it retires;
* any change of the rules and caps of a published version;
* any change of the meaning of a signal that a published version uses.
"""

from django.db import migrations

FUNCTIONS = """
CREATE FUNCTION scoring_version_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state = 'draft' THEN
    RETURN coalesce(NEW, OLD);
  END IF;
  IF TG_OP = 'UPDATE' AND OLD.state = 'active' AND NEW.state = 'retired'
     AND to_jsonb(OLD) - 'state' - 'retired_at' = to_jsonb(NEW) - 'state' - 'retired_at' THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'Scoring model version % is published and never changes.', OLD.number
    USING ERRCODE = 'check_violation';
END $$;

CREATE FUNCTION scoring_version_parts_are_final() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  version bigint;
BEGIN
  FOREACH version IN ARRAY CASE TG_OP
      WHEN 'INSERT' THEN ARRAY[NEW.version_id]
      WHEN 'DELETE' THEN ARRAY[OLD.version_id]
      ELSE ARRAY[OLD.version_id, NEW.version_id] END LOOP
    IF EXISTS (SELECT 1 FROM scoring_modelversion v WHERE v.id = version AND v.state <> 'draft') THEN
      RAISE EXCEPTION 'Rules and caps of a published scoring model never change.'
        USING ERRCODE = 'check_violation';
    END IF;
  END LOOP;
  RETURN coalesce(NEW, OLD);
END $$;

CREATE FUNCTION scoring_signal_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - 'counted_at' = to_jsonb(NEW) - 'counted_at' THEN
    RETURN NEW;
  END IF;
  IF EXISTS (SELECT 1 FROM scoring_rule r JOIN scoring_modelversion v ON v.id = r.version_id
              WHERE r.signal_id = OLD.id AND v.state <> 'draft') THEN
    RAISE EXCEPTION 'Signal % is used by a published scoring model and never changes.', OLD.key
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN coalesce(NEW, OLD);
END $$;
"""

TRIGGERS = """
CREATE TRIGGER is_final BEFORE UPDATE OR DELETE ON scoring_modelversion
  FOR EACH ROW EXECUTE FUNCTION scoring_version_is_final();
CREATE TRIGGER is_final BEFORE INSERT OR UPDATE OR DELETE ON scoring_rule
  FOR EACH ROW EXECUTE FUNCTION scoring_version_parts_are_final();
CREATE TRIGGER is_final BEFORE INSERT OR UPDATE OR DELETE ON scoring_groupcap
  FOR EACH ROW EXECUTE FUNCTION scoring_version_parts_are_final();
CREATE TRIGGER is_final BEFORE UPDATE OR DELETE ON scoring_signal
  FOR EACH ROW EXECUTE FUNCTION scoring_signal_is_final();
"""

UNDO = """
DROP TRIGGER is_final ON scoring_modelversion;
DROP TRIGGER is_final ON scoring_rule;
DROP TRIGGER is_final ON scoring_groupcap;
DROP TRIGGER is_final ON scoring_signal;
DROP FUNCTION scoring_version_is_final, scoring_version_parts_are_final, scoring_signal_is_final;
"""


class Migration(migrations.Migration):
    dependencies = [("scoring", "0001_initial")]

    operations = [migrations.RunSQL(FUNCTIONS + TRIGGERS, UNDO)]
