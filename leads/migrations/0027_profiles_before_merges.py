from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("leads", "0026_points_in_whole_hundredths"),
    ]

    operations = [
        migrations.AddField(
            model_name="merge",
            name="former",
            field=models.JSONField(db_default={}, default=dict),
        ),
    ]
