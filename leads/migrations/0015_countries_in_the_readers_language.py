"""Django notes which names a country field offers; the database does not change."""

import django_countries.fields
from django.db import migrations

import leads.countries


def named(model: str) -> migrations.AlterField:
    field = django_countries.fields.CountryField(
        blank=True, countries=leads.countries.Countries, max_length=2, verbose_name="country"
    )
    return migrations.AlterField(model, "country", field)


class Migration(migrations.Migration):
    dependencies = [("leads", "0014_checks_that_always_answer")]
    operations = [named("account"), named("lead")]
