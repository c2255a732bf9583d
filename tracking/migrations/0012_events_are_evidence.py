"""What was told is evidence: who did what and when, and the message it came in, never change.

What we make of an event may: its lead, its verdict, the time spent on its page. A trigger of
single columns costs an UPDATE of the others nothing. Deleting is in 0010.
"""

from django.db import migrations

GUARDS = """
SET LOCAL lock_timeout = '2s';
CREATE TRIGGER tracking_event_is_evidence
  BEFORE UPDATE OF id, source_id, message_id, kind, name, occurred_at, sent_at, received_at,
    anonymous_id, user_id, url, path, referrer, title, user_agent, properties, context, is_trusted
  ON tracking_event FOR EACH ROW EXECUTE FUNCTION leads_refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON tracking_event
  FOR EACH STATEMENT EXECUTE FUNCTION leads_refuse_truncate();
"""

UNDO = """
DROP TRIGGER tracking_event_is_evidence ON tracking_event;
DROP TRIGGER no_truncate ON tracking_event;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("tracking", "0011_visits_follow_time_on_pages"),
        ("leads", "0003_database_holds_the_lifecycle"),
    ]
    operations = [migrations.RunSQL(GUARDS, UNDO)]
