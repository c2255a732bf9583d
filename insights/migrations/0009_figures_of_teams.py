"""Stays know their team, and a lead that changes teams leaves work. The relay fills them in: it
builds the roll-ups anew, for their layout changed."""

from django.db import migrations, models

WITHOUT = "(fresh.channel, fresh.source, fresh.country, fresh.owner_id)"
WITH = "(fresh.channel, fresh.source, fresh.country, fresh.owner_id, fresh.team_id)"


def noted(fresh: str) -> str:
    return f"""
CREATE OR REPLACE FUNCTION insights_lead_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE $note$
  INSERT INTO insights_stalelead (lead_id)
  SELECT fresh.id FROM fresh JOIN known USING (id)
   WHERE {fresh} IS DISTINCT FROM {fresh.replace("fresh", "known")}
      OR (fresh.stage = 'merged') <> (known.stage = 'merged')
  $note$;
  RETURN NULL;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("insights", "0008_plans_for_as_many_leads")]

    operations = [
        migrations.AddField(
            model_name="stay", name="team_id", field=models.BigIntegerField(null=True)
        ),
        migrations.RunSQL(noted(WITH), noted(WITHOUT)),
    ]
