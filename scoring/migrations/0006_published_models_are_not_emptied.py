"""Row triggers do not see TRUNCATE: it is refused by itself, as for histories."""

from django.db import migrations

TABLES = ("scoring_modelversion", "scoring_rule", "scoring_groupcap", "scoring_signal")

GUARDS = "".join(
    f"""
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {table}
  FOR EACH STATEMENT EXECUTE FUNCTION leads_refuse_truncate();
"""
    for table in TABLES
)
UNDO = "".join(f"DROP TRIGGER no_truncate ON {table};" for table in TABLES)


class Migration(migrations.Migration):
    dependencies = [
        ("scoring", "0005_features_are_anchored_by_month"),
        ("leads", "0003_database_holds_the_lifecycle"),
    ]
    operations = [migrations.RunSQL(GUARDS, UNDO)]
