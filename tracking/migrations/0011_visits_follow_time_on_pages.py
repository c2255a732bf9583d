"""Visits follow the time spent on their pages; what retention deletes stays in the figures.

Events without a lead are deleted by retention only, and their visits are to stay. Events of a lead
are deleted when the person is erased, and their visits go, too.
"""

from django.db import migrations

CHANGED = """
CREATE OR REPLACE FUNCTION tracking_events_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tracking_stalevisits (anonymous_id, lead_id, since)
  SELECT anonymous_id, lead_id, min(occurred_at) FROM (
    SELECT fresh.anonymous_id, fresh.occurred_at,
           CASE WHEN fresh.anonymous_id = '' THEN owner.lead_id END AS lead_id
      FROM fresh JOIN known USING (id),
           LATERAL (VALUES (fresh.lead_id), (known.lead_id)) AS owner (lead_id)
     WHERE (fresh.lead_id, fresh.verdict, fresh.engaged_ms)
           IS DISTINCT FROM (known.lead_id, known.verdict, known.engaged_ms)
  ) AS changed WHERE anonymous_id <> '' OR lead_id IS NOT NULL GROUP BY 1, 2;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION tracking_events_erased() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tracking_stalevisits (anonymous_id, lead_id, since)
  SELECT anonymous_id, CASE WHEN anonymous_id = '' THEN lead_id END, min(occurred_at)
    FROM erased WHERE lead_id IS NOT NULL GROUP BY 1, 2;
  RETURN NULL;
END $$;
"""

# Whose events were stored before there were visits.
ALL = """
INSERT INTO tracking_stalevisits (anonymous_id, lead_id, since)
SELECT anonymous_id, NULL, min(occurred_at) FROM tracking_event WHERE anonymous_id <> '' GROUP BY 1
 UNION ALL
SELECT '', lead_id, min(occurred_at) FROM tracking_event
 WHERE anonymous_id = '' AND lead_id IS NOT NULL GROUP BY lead_id
"""


class Migration(migrations.Migration):
    dependencies = [("tracking", "0010_retention")]

    operations = [
        migrations.RunSQL(CHANGED, migrations.RunSQL.noop),
        migrations.RunSQL(ALL, migrations.RunSQL.noop),
    ]
