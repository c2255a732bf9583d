"""What PostgreSQL itself refuses, even in raw SQL (in place of 0002 and 0004).

* a version that begins as anything but a draft;
* any change of what was submitted, but for its way: draft → in review → signed → active →
  retired, back to draft while it is in review, back into force after it retired; and the
  date of the next review of an active version;
* signed without one signature of marketing and one of sales, by two people;
* a signature of a version that is not in review, a changed one, one taken away later on;
* any change of the rules, caps and signals of a version that is no draft;
* any change of whom a model is for, once one of its versions was in force.
"""

from django.db import migrations

FUNCTIONS = """
CREATE OR REPLACE FUNCTION scoring_version_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  may_change text[];
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'draft' THEN
      RAISE EXCEPTION 'Scoring model version % must begin as a draft.', NEW.number
        USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF TG_OP = 'DELETE' THEN
    IF OLD.state = 'draft' THEN
      RETURN OLD;
    END IF;
  ELSIF OLD.state = 'draft' AND NEW.state IN ('draft', 'in_review') THEN
    RETURN NEW;
  ELSE
    may_change := CASE OLD.state || ' → ' || NEW.state
      WHEN 'in_review → draft' THEN ARRAY['state']
      WHEN 'in_review → signed' THEN ARRAY['state']
      WHEN 'signed → active' THEN ARRAY['state', 'published_at', 'published_by_id',
                                        'after_lead_id', 'replaces_id']
      WHEN 'signed → retired' THEN ARRAY['state', 'retired_at']
      WHEN 'active → active' THEN ARRAY['review_due_on']
      WHEN 'active → retired' THEN ARRAY['state', 'retired_at']
      WHEN 'retired → active' THEN ARRAY['state', 'retired_at'] END;
    IF may_change IS NOT NULL AND to_jsonb(OLD) - may_change = to_jsonb(NEW) - may_change
       AND (NEW.state <> 'signed' OR
            2 = (SELECT count(DISTINCT signed_by_id) FROM scoring_signature
                  WHERE version_id = NEW.id AND side IN ('marketing', 'sales')))
       AND (OLD.state || NEW.state <> 'retiredactive' OR OLD.published_at IS NOT NULL) THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'Scoring model version % is % and does not change like that.', OLD.number, OLD.state
    USING ERRCODE = 'check_violation';
END $$;

CREATE FUNCTION scoring_signature_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- The lock keeps the state from changing until this signature is committed.
  PERFORM FROM scoring_modelversion v
    WHERE v.id = coalesce(NEW.version_id, OLD.version_id) AND v.state = 'in_review' FOR NO KEY UPDATE;
  IF TG_OP = 'UPDATE' OR NOT FOUND THEN
    RAISE EXCEPTION 'Only a version in review is signed, and a signature never changes.'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN coalesce(NEW, OLD);
END $$;

CREATE FUNCTION scoring_model_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF (TG_OP = 'DELETE' OR OLD.conditions <> NEW.conditions OR OLD.id <> NEW.id) AND EXISTS (
      SELECT 1 FROM scoring_modelversion v WHERE v.model_id = OLD.id AND v.state <> 'draft') THEN
    RAISE EXCEPTION 'Whom scoring model "%" is for was signed and never changes.', OLD.name
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN coalesce(NEW, OLD);
END $$;
"""

TRIGGERS = """
DROP TRIGGER is_final ON scoring_modelversion;
CREATE TRIGGER is_final BEFORE INSERT OR UPDATE OR DELETE ON scoring_modelversion
  FOR EACH ROW EXECUTE FUNCTION scoring_version_is_final();
CREATE TRIGGER is_final BEFORE INSERT OR UPDATE OR DELETE ON scoring_signature
  FOR EACH ROW EXECUTE FUNCTION scoring_signature_is_final();
CREATE TRIGGER is_final BEFORE UPDATE OR DELETE ON scoring_scoringmodel
  FOR EACH ROW EXECUTE FUNCTION scoring_model_is_final();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON scoring_signature
  FOR EACH STATEMENT EXECUTE FUNCTION leads_refuse_truncate();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON scoring_scoringmodel
  FOR EACH STATEMENT EXECUTE FUNCTION leads_refuse_truncate();
"""


class Migration(migrations.Migration):
    dependencies = [("scoring", "0010_versions_are_signed_for_one_model_of_several")]

    operations = [migrations.RunSQL(FUNCTIONS + TRIGGERS)]
