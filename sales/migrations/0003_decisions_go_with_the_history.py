"""Hand-offs and opportunities say what the history of their lead says, even after raw SQL.

* A hand-off belongs to a stay in MQL of its own lead and cycle. Neither ever changes, so that
  looking once, at INSERT, is as good as a foreign key and spares the history another index.
* A decision and its move are compared at COMMIT: accepted, the stay in MQL ended by advancing;
  rejected, by recycling, disqualifying or merging; withdrawn or expired, it ended.
* An opportunity is open while its lead is in SAL or SQL of that cycle; won if the lead became a
  customer in it; lost if the lead left SAL or SQL in it by another way.
* An opportunity is decided once and keeps its lead, cycle and dates; it is never deleted.

Erasing a person is the one exception (leads migration 0003).
"""

from django.db import migrations

HANDOFFS = """
CREATE FUNCTION sales_handoff_of_a_stay_in_mql() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM leads_stageepisode e
                  WHERE e.id = NEW.episode_id AND e.lead_id = NEW.lead_id
                    AND e.cycle = NEW.cycle AND e.stage = 'mql') THEN
    RAISE EXCEPTION 'Hand-off % must belong to a stay in MQL of lead % in cycle %.',
      NEW.id, NEW.lead_id, NEW.cycle USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER of_a_stay_in_mql AFTER INSERT OR UPDATE OF lead_id, episode_id, cycle
  ON sales_handoff FOR EACH ROW EXECUTE FUNCTION sales_handoff_of_a_stay_in_mql();

CREATE FUNCTION sales_handoff_goes_with_lead() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  exit text;
BEGIN
  -- As it is now: it may be open no more, or erased. Its stay is open while the exit is ''.
  SELECT e.exit_kind INTO exit
    FROM sales_handoff h JOIN leads_stageepisode e ON e.id = h.episode_id
   WHERE h.id = NEW.id AND NOT CASE h.state
         WHEN 'submitted' THEN true
         WHEN 'accepted' THEN e.exit_kind = 'advanced'
         WHEN 'rejected' THEN e.exit_kind IN ('recycled', 'disqualified', 'merged')
         ELSE e.exit_kind <> '' END;
  IF FOUND THEN
    RAISE EXCEPTION 'Hand-off % is %, but the stay of lead % in MQL ended by %.', NEW.id, NEW.state,
      NEW.lead_id, coalesce(nullif(exit, ''), 'nothing') USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER handoff_goes_with_lead AFTER INSERT OR UPDATE OF state ON sales_handoff
  DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.state <> 'submitted') EXECUTE FUNCTION sales_handoff_goes_with_lead();
"""

OPPORTUNITIES = """
CREATE FUNCTION sales_opportunity_is_decided_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(current_setting('funnel.erasing', true), '') = 'on' THEN
    RETURN NEW;
  END IF;
  IF (OLD.lead_id, OLD.cycle) IS DISTINCT FROM (NEW.lead_id, NEW.cycle) THEN
    RAISE EXCEPTION 'Opportunity % keeps its lead and cycle.', OLD.id
      USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.outcome <> 'open' AND (OLD.outcome, OLD.opened_at, OLD.closed_at)
     IS DISTINCT FROM (NEW.outcome, NEW.opened_at, NEW.closed_at) THEN
    RAISE EXCEPTION 'Opportunity % is % and stays so.', OLD.id, OLD.outcome
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER decided_once BEFORE UPDATE OF lead_id, cycle, outcome, opened_at, closed_at
  ON sales_opportunity FOR EACH ROW EXECUTE FUNCTION sales_opportunity_is_decided_once();
CREATE TRIGGER no_delete BEFORE DELETE ON sales_opportunity
  FOR EACH ROW EXECUTE FUNCTION leads_refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON sales_opportunity
  FOR EACH STATEMENT EXECUTE FUNCTION leads_refuse_truncate();

CREATE FUNCTION sales_opportunity_goes_with_lead() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  outcome text;
  is_alive boolean;
  is_won boolean;
  is_left boolean;
BEGIN
  -- As it is now: it may be closed by now, or erased.
  SELECT o.outcome,
         bool_or(e.left_at IS NULL AND e.stage IN ('sal', 'sql')),
         bool_or(e.stage = 'customer'),
         bool_or(e.stage IN ('sal', 'sql') AND e.exit_kind NOT IN ('', 'advanced'))
    INTO outcome, is_alive, is_won, is_left
    FROM sales_opportunity o
    LEFT JOIN leads_stageepisode e ON e.lead_id = o.lead_id AND e.cycle = o.cycle
   WHERE o.id = NEW.id GROUP BY o.id;
  IF FOUND AND NOT coalesce(CASE outcome
       WHEN 'open' THEN is_alive
       WHEN 'won' THEN is_won
       ELSE is_left AND NOT is_won END, false) THEN
    RAISE EXCEPTION 'Opportunity % cannot be %: the history of lead % in cycle % says otherwise.',
      NEW.id, outcome, NEW.lead_id, NEW.cycle USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER opportunity_goes_with_lead
  AFTER INSERT OR UPDATE OF lead_id, cycle, outcome ON sales_opportunity
  DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION sales_opportunity_goes_with_lead();
"""

UNDO = """
DROP TRIGGER of_a_stay_in_mql ON sales_handoff;
DROP TRIGGER handoff_goes_with_lead ON sales_handoff;
DROP TRIGGER decided_once ON sales_opportunity;
DROP TRIGGER no_delete ON sales_opportunity;
DROP TRIGGER no_truncate ON sales_opportunity;
DROP TRIGGER opportunity_goes_with_lead ON sales_opportunity;
DROP FUNCTION sales_handoff_of_a_stay_in_mql, sales_handoff_goes_with_lead,
  sales_opportunity_is_decided_once, sales_opportunity_goes_with_lead;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("sales", "0002_database_holds_the_decisions"),
        ("leads", "0018_merges"),
    ]
    operations = [migrations.RunSQL(HANDOFFS + OPPORTUNITIES, UNDO)]
