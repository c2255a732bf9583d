"""What PostgreSQL itself refuses, even in raw SQL.

* any change of a hand-off that is decided;
* moving an open hand-off to another lead, cycle or instant, or giving it more time;
* deleting hand-offs, editing or deleting their log or a BANT answer. Erasing a
  person is the one exception: SET LOCAL funnel.erasing = 'on' (leads migration 0003).
"""

from django.db import migrations

from sales.reasons import DEFAULT_REASONS

GUARDS = """
CREATE FUNCTION sales_handoff_is_decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(current_setting('funnel.erasing', true), '') = 'on' THEN
    RETURN NEW;
  END IF;
  IF OLD.state <> 'submitted' THEN
    RAISE EXCEPTION 'Hand-off % is decided and never changes again.', OLD.id
      USING ERRCODE = 'check_violation';
  END IF;
  IF (OLD.lead_id, OLD.episode_id, OLD.cycle, OLD.submitted_at, OLD.due_at, OLD.score, OLD.fit,
      OLD.interest, OLD.quadrant, OLD.model_version)
     IS DISTINCT FROM
     (NEW.lead_id, NEW.episode_id, NEW.cycle, NEW.submitted_at, NEW.due_at, NEW.score, NEW.fit,
      NEW.interest, NEW.quadrant, NEW.model_version) THEN
    RAISE EXCEPTION 'What hand-off % was submitted with never changes.', OLD.id
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER decided_once BEFORE UPDATE ON sales_handoff
  FOR EACH ROW EXECUTE FUNCTION sales_handoff_is_decided_once();
CREATE TRIGGER no_delete BEFORE DELETE ON sales_handoff
  FOR EACH ROW EXECUTE FUNCTION leads_refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON sales_handoff
  FOR EACH STATEMENT EXECUTE FUNCTION leads_refuse_truncate();
CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON sales_handoffevent
  FOR EACH ROW EXECUTE FUNCTION leads_refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON sales_handoffevent
  FOR EACH STATEMENT EXECUTE FUNCTION leads_refuse_truncate();
CREATE TRIGGER no_change BEFORE UPDATE OR DELETE ON sales_bantanswer
  FOR EACH ROW EXECUTE FUNCTION leads_refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON sales_bantanswer
  FOR EACH STATEMENT EXECUTE FUNCTION leads_refuse_truncate();
"""

UNDO = """
DROP TRIGGER decided_once ON sales_handoff;
DROP TRIGGER no_delete ON sales_handoff;
DROP TRIGGER no_truncate ON sales_handoff;
DROP TRIGGER no_change ON sales_handoffevent;
DROP TRIGGER no_truncate ON sales_handoffevent;
DROP TRIGGER no_change ON sales_bantanswer;
DROP TRIGGER no_truncate ON sales_bantanswer;
DROP FUNCTION sales_handoff_is_decided_once;
"""


def fill(apps, schema_editor):
    reason = apps.get_model("sales", "RejectReason")
    reason.objects.bulk_create(
        reason(
            code=code,
            label=label,
            leads_to="disqualify" if days is None else "recycle",
            recycle_days=days,
            position=position,
        )
        for position, (code, label, days) in enumerate(DEFAULT_REASONS, start=1)
    )


def empty(apps, schema_editor):
    apps.get_model("sales", "RejectReason").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [
        ("sales", "0001_initial"),
        ("leads", "0003_database_holds_the_lifecycle"),
    ]

    operations = [
        migrations.RunSQL(GUARDS, UNDO),
        migrations.RunPython(fill, empty),
    ]
