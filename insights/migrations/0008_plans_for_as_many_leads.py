"""Note changed leads by a plan made for as many of them as there are.

A trigger keeps the plan of its first statement. One made for a single lead compares each with
each, which takes minutes for the leads of a large import. EXECUTE plans anew each time, which
takes well under a millisecond. What is noted stays the same.
"""

from django.db import migrations

LEADS = """
  INSERT INTO insights_stalelead (lead_id)
  SELECT fresh.id FROM fresh JOIN known USING (id)
   WHERE (fresh.channel, fresh.source, fresh.country, fresh.owner_id)
         IS DISTINCT FROM (known.channel, known.source, known.country, known.owner_id)
      OR (fresh.stage = 'merged') <> (known.stage = 'merged')
"""
CAMPAIGNS = """
  INSERT INTO insights_staletraffic (at)
  SELECT DISTINCT date_trunc('hour', stay.entered_at)
    FROM fresh JOIN known USING (id) JOIN insights_stay AS stay ON stay.lead_id = fresh.id
   WHERE fresh.campaign <> known.campaign AND stay.reached_elapsed IS NOT NULL
"""


def functions(leads: str, campaigns: str) -> str:
    return "".join(
        f"""
CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  {note};
  RETURN NULL;
END $$;
"""
        for name, note in (
            ("insights_lead_changed", leads),
            ("insights_campaigns_changed", campaigns),
        )
    )


def executed(note: str) -> str:
    return f"EXECUTE $note${note}$note$"


class Migration(migrations.Migration):
    dependencies = [("insights", "0007_stays_by_channel_and_country")]

    operations = [
        migrations.RunSQL(
            functions(executed(LEADS), executed(CAMPAIGNS)), functions(LEADS, CAMPAIGNS)
        )
    ]
