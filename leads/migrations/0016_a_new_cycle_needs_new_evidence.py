"""Who is recycled waits 30 days unless told otherwise, and comes back only by new activity."""

from django.db import migrations

POSITION = 5  # of the waiting time among the criteria of a Qualified lead


def ask(apps, schema_editor):
    rows = apps.get_model("leads", "Criterion").objects.filter(stage="qualified")
    rows.filter(kind="not_before_has_passed", params={}).update(params={"days": 30})
    rows.get_or_create(
        stage="qualified", kind="active_in_this_cycle", defaults={"position": POSITION}
    )


def forget(apps, schema_editor):
    rows = apps.get_model("leads", "Criterion").objects.filter(stage="qualified")
    rows.filter(kind="not_before_has_passed").update(params={})
    rows.filter(kind="active_in_this_cycle").delete()


class Migration(migrations.Migration):
    dependencies = [("leads", "0015_countries_in_the_readers_language")]
    operations = [migrations.RunPython(ask, forget)]
