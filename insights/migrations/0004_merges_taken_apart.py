"""A stay may have been ended, for a while, by a merge that was taken apart: one kind more."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("insights", "0003_cells_by_measure"), ("leads", "0018_merges")]

    operations = [
        migrations.AlterField(
            "stay",
            "exit_kind",
            models.CharField(
                blank=True,
                choices=[
                    ("captured", "captured"),
                    ("advanced", "advanced"),
                    ("recycled", "recycled"),
                    ("disqualified", "disqualified"),
                    ("lost", "lost"),
                    ("churned", "churned"),
                    ("reopened", "reopened"),
                    ("merged", "merged"),
                    ("restored", "restored"),
                ],
                max_length=20,
            ),
        ),
    ]
