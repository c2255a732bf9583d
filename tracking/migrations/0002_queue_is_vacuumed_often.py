"""The work rows of events come and go by the thousand: keep their table small."""

from django.db import migrations

TUNE = """
ALTER TABLE tracking_pendingevent SET (
  fillfactor = 70, autovacuum_vacuum_scale_factor = 0.0, autovacuum_vacuum_threshold = 5000,
  autovacuum_vacuum_cost_delay = 0);
ALTER TABLE tracking_visitor SET (fillfactor = 85);
ALTER TABLE tracking_ingestcount SET (fillfactor = 50);
ALTER TABLE tracking_event SET (
  autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02);
"""

UNTUNE = """
ALTER TABLE tracking_pendingevent RESET (
  fillfactor, autovacuum_vacuum_scale_factor, autovacuum_vacuum_threshold,
  autovacuum_vacuum_cost_delay);
ALTER TABLE tracking_visitor RESET (fillfactor);
ALTER TABLE tracking_ingestcount RESET (fillfactor);
ALTER TABLE tracking_event RESET (
  autovacuum_vacuum_insert_scale_factor, autovacuum_analyze_scale_factor);
"""


class Migration(migrations.Migration):
    dependencies = [("tracking", "0001_initial")]

    operations = [migrations.RunSQL(TUNE, UNTUNE)]
