from django.db import migrations

import leads.points

COLUMNS = ("score", "fit", "interest")


def _alter(type_and_value: str) -> str:
    """One pass over the table, which writes its index on the score anew."""
    changes = ", ".join(
        f"ALTER COLUMN {name} TYPE {type_and_value.format(name=name)}" for name in COLUMNS
    )
    return f"ALTER TABLE leads_standing {changes}"


class Migration(migrations.Migration):
    dependencies = [("leads", "0025_last_activity_apart")]

    operations = [
        migrations.RunSQL(
            _alter("integer USING round({name} * 100)::integer"),
            _alter("numeric(9, 2) USING {name} * 0.01"),
            state_operations=[
                migrations.AlterField(
                    model_name="standing",
                    name=name,
                    field=leads.points.PointsField(default=0, verbose_name=name),
                )
                for name in COLUMNS
            ],
        ),
    ]
