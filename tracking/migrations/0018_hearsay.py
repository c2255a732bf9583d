"""What no browser can witness counts for nothing when a public key tells of it."""

from django.db import migrations


def know_hearsay(apps, schema_editor):
    signals = apps.get_model("tracking", "VerdictSignal").objects
    signals.get_or_create(name="hearsay", defaults={"effect": "machine"})


class Migration(migrations.Migration):
    dependencies = [("tracking", "0017_links_from_a_moment_on")]

    operations = [migrations.RunPython(know_hearsay, migrations.RunPython.noop)]
