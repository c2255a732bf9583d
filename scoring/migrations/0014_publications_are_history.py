"""When which version came into force never changes, even in raw SQL: past scores are read from it.

* what was asked for (version, scope, whether it came back, by whom and when) stays as it is;
* it is activated once, after it was asked for, and is not deleted any more from then on.

One that waits for its date may still be called off, and how far it got goes on being written.
"""

from django.db import migrations

GUARD = """
CREATE FUNCTION scoring_publication_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    RAISE EXCEPTION 'The publication of version % begins before it is activated.', NEW.version_id
      USING ERRCODE = 'check_violation';
  END IF;
  RAISE EXCEPTION 'Publication % is history and does not change like that.', OLD.id
    USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER begins_unactivated BEFORE INSERT ON scoring_publication
  FOR EACH ROW WHEN (NEW.activated_at IS NOT NULL)
  EXECUTE FUNCTION scoring_publication_is_final();
CREATE TRIGGER is_final BEFORE UPDATE ON scoring_publication
  FOR EACH ROW WHEN (
    (OLD.id, OLD.version_id, OLD.scope, OLD.is_rollback, OLD.requested_by_id, OLD.requested_at)
    IS DISTINCT FROM
    (NEW.id, NEW.version_id, NEW.scope, NEW.is_rollback, NEW.requested_by_id, NEW.requested_at)
    OR OLD.activated_at IS NOT NULL AND OLD.activated_at IS DISTINCT FROM NEW.activated_at)
  EXECUTE FUNCTION scoring_publication_is_final();
CREATE TRIGGER is_kept BEFORE DELETE ON scoring_publication
  FOR EACH ROW WHEN (OLD.activated_at IS NOT NULL)
  EXECUTE FUNCTION scoring_publication_is_final();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON scoring_publication
  FOR EACH STATEMENT EXECUTE FUNCTION leads_refuse_truncate();
"""

UNDO = """
DROP TRIGGER begins_unactivated ON scoring_publication;
DROP TRIGGER is_final ON scoring_publication;
DROP TRIGGER is_kept ON scoring_publication;
DROP TRIGGER no_truncate ON scoring_publication;
DROP FUNCTION scoring_publication_is_final;
"""


class Migration(migrations.Migration):
    dependencies = [("scoring", "0013_titles_judge_fewer_people_high")]

    operations = [migrations.RunSQL(GUARD, UNDO)]
