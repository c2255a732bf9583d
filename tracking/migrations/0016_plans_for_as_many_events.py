"""Note changed events by a plan made for as many of them as there are.

A trigger keeps the plan of its first statement. One made for a single event compares each with
each, which takes minutes for the fifty thousand that a merge gives to another lead. EXECUTE plans
anew each time, which takes well under a millisecond. What is noted stays the same.
"""

from django.db import migrations

NOTE = """
  INSERT INTO tracking_stalevisits (anonymous_id, lead_id, since)
  SELECT anonymous_id, lead_id, min(occurred_at) FROM (
    SELECT fresh.anonymous_id, fresh.occurred_at,
           CASE WHEN fresh.anonymous_id = '' THEN owner.lead_id END AS lead_id
      FROM fresh JOIN known USING (id),
           LATERAL (VALUES (fresh.lead_id), (known.lead_id)) AS owner (lead_id)
     WHERE (fresh.lead_id, fresh.verdict, fresh.engaged_ms)
           IS DISTINCT FROM (known.lead_id, known.verdict, known.engaged_ms)
  ) AS changed WHERE anonymous_id <> '' OR lead_id IS NOT NULL GROUP BY 1, 2
"""


def changed(note: str) -> str:
    return f"""
CREATE OR REPLACE FUNCTION tracking_events_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  {note};
  RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("tracking", "0015_groups")]

    operations = [migrations.RunSQL(changed(f"EXECUTE $note${NOTE}$note$"), changed(NOTE))]
