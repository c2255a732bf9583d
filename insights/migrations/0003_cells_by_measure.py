"""Each measure of the roll-ups keeps only the detail its figures need.

Roll-ups are derived: what is dropped here, the relay builds anew.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("insights", "0002_every_change_leaves_work")]

    operations = [
        migrations.DeleteModel("Cell"),
        migrations.DeleteModel("Rollup"),
        migrations.CreateModel(
            name="Cell",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "slice",
                        "measure",
                        "began_on",
                        "stage",
                        "exit_kind",
                        "elapsed",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("slice", models.CharField(max_length=120)),
                (
                    "measure",
                    models.CharField(
                        choices=[("step", "Step"), ("time", "Time"), ("reach", "Reach")],
                        max_length=5,
                    ),
                ),
                ("began_on", models.DateField()),
                ("stage", models.CharField(max_length=20)),
                ("exit_kind", models.CharField(blank=True, max_length=20)),
                ("elapsed", models.SmallIntegerField()),
                ("stay_count", models.IntegerField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("slice"),
                        condition=models.Q(("stay_count", 0)),
                        name="insights_cell_empty",
                    ),
                    models.Index(
                        models.F("slice"),
                        models.F("stage"),
                        condition=models.Q(("elapsed", -1), ("measure", "step")),
                        include=("stay_count",),
                        name="insights_cell_open",
                    ),
                    models.Index(
                        models.F("slice"),
                        condition=models.Q(("measure", "reach"), ("stage", "lead")),
                        include=("stay_count",),
                        name="insights_cell_captured",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Rollup",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("layout", models.CharField(max_length=200)),
                ("rebuilt_at", models.DateTimeField()),
                ("visitor_count", models.IntegerField(null=True)),
                ("visitors_counted_at", models.DateTimeField(null=True)),
            ],
        ),
    ]
