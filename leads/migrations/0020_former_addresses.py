"""The address that a survivor gave up for the loser's still leads to the survivor."""

from django.db import migrations, models
from django.db.models import Q
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [("leads", "0019_touches")]

    operations = [
        migrations.AddField(
            "merge",
            "former_email",
            models.EmailField(blank=True, default="", max_length=254),
            preserve_default=False,
        ),
        migrations.AddIndex(
            "merge",
            models.Index(
                Lower("former_email"),
                condition=Q(undone_at=None) & ~Q(former_email=""),
                name="leads_merge_former_email",
            ),
        ),
    ]
