from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tracking", "0016_plans_for_as_many_events"),
    ]

    operations = [
        migrations.AddField(
            model_name="visitorlink",
            name="reaches_back",
            field=models.BooleanField(
                db_default=True, default=True, verbose_name="with what came before"
            ),
        ),
    ]
