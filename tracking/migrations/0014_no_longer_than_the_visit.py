"""Visits to which more time was credited than they lasted are split anew by the relay.

Those whose events were purged stay as they are.
"""

from django.db import migrations

QUEUE = """
INSERT INTO tracking_stalevisits (anonymous_id, since)
SELECT visit.anonymous_id, min(visit.started_at) FROM tracking_visit AS visit
 WHERE visit.engaged_ms > 1000 * extract(epoch FROM visit.ended_at - visit.started_at)
   AND EXISTS (SELECT FROM tracking_event AS event
                WHERE event.anonymous_id = visit.anonymous_id AND event.anonymous_id <> ''
                  AND event.occurred_at BETWEEN visit.started_at AND visit.ended_at)
 GROUP BY 1
"""


class Migration(migrations.Migration):
    dependencies = [("tracking", "0013_changes_before_attaching")]
    operations = [migrations.RunSQL(QUEUE, migrations.RunSQL.noop)]
