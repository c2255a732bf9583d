"""Words of an e-mail address, and names without their marks, are found, too.

A generated column cannot be altered: it is made anew, with its index.
"""

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db import migrations, models

from leads.searching import in_words, without_marks


class Migration(migrations.Migration):
    dependencies = [("leads", "0020_former_addresses")]

    operations = [
        migrations.RemoveIndex("lead", "leads_lead_search"),
        migrations.RemoveField("lead", "search"),
        migrations.AddField(
            "lead",
            "search",
            models.GeneratedField(
                expression=SearchVector(
                    "first_name",
                    "last_name",
                    "email",
                    in_words("email"),
                    "company",
                    "title",
                    *map(without_marks, ("first_name", "last_name", "company")),
                    config="simple",
                ),
                output_field=SearchVectorField(),
                db_persist=True,
            ),
        ),
        migrations.AddIndex("lead", GinIndex(fields=["search"], name="leads_lead_search")),
    ]
