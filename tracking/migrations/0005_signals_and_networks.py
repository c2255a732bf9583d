"""The signals with what they mean at first, the clouds that are best known, and one guard."""

from django.db import migrations

# Name, meaning, how many, seconds: as tracking/verdicts/weighing.py explains them.
SIGNALS = (
    ("crawler", "machine", None, None),
    ("head_request", "machine", None, None),
    ("headless", "machine", None, None),
    ("webdriver", "machine", None, None),
    ("script_client", "suspected", None, None),
    ("prefetch", "suspected", None, None),
    ("no_user_agent", "suspected", None, None),
    ("odd_user_agent", "weak", None, None),
    ("privacy_proxy", "suspected", None, None),
    ("data_centre", "weak", None, None),
    ("all_links", "machine", 3, 10),
    ("before_delivery", "machine", None, 2),
    ("no_page_beacon", "suspected", None, 600),
    ("too_quick", "machine", 20, 10),
    ("staff_flag", "staff", None, None),
    ("staff_browser", "staff", None, None),
)

# Large networks that these providers have rented servers in for years. Not complete, and it
# need not be: alone it makes nobody suspected. Admins add and switch off rows.
NETWORKS = {
    "Amazon Web Services": (
        "3.0.0.0/9", "3.128.0.0/9", "18.128.0.0/9", "34.192.0.0/10", "52.0.0.0/11",
        "52.32.0.0/11", "54.144.0.0/12", "54.160.0.0/11",
    ),
    "Google Cloud": ("34.64.0.0/10", "35.184.0.0/13", "35.192.0.0/12", "104.196.0.0/14"),
    "Microsoft Azure": (
        "13.64.0.0/11", "20.40.0.0/13", "20.48.0.0/12", "20.64.0.0/10", "40.112.0.0/13",
        "52.224.0.0/11",
    ),
    "DigitalOcean": (
        "104.131.0.0/16", "104.236.0.0/16", "138.68.0.0/16", "138.197.0.0/16", "139.59.0.0/16",
        "142.93.0.0/16", "157.230.0.0/16", "159.65.0.0/16", "159.89.0.0/16", "165.22.0.0/16",
        "167.71.0.0/16", "167.99.0.0/16", "178.62.0.0/16", "188.166.0.0/16", "206.189.0.0/16",
    ),
    "Hetzner": (
        "5.9.0.0/16", "78.46.0.0/15", "88.198.0.0/16", "116.202.0.0/15", "135.181.0.0/16",
        "138.201.0.0/16", "144.76.0.0/16", "148.251.0.0/16", "159.69.0.0/16", "168.119.0.0/16",
        "176.9.0.0/16", "188.40.0.0/16", "195.201.0.0/16",
    ),
    "OVH": (
        "51.38.0.0/16", "51.68.0.0/16", "51.75.0.0/16", "51.77.0.0/16", "51.83.0.0/16",
        "51.89.0.0/16", "54.36.0.0/15", "137.74.0.0/16", "145.239.0.0/16", "149.202.0.0/16",
        "151.80.0.0/16", "158.69.0.0/16", "167.114.0.0/16",
    ),
    "Linode": ("45.33.0.0/17", "139.162.0.0/16", "172.104.0.0/15"),
}  # fmt: skip

GUARD = """
CREATE FUNCTION tracking_refuse_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only.', TG_TABLE_NAME USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER no_update BEFORE UPDATE ON tracking_verdictchange
  FOR EACH ROW EXECUTE FUNCTION tracking_refuse_update();
"""
UNGUARD = """
DROP TRIGGER no_update ON tracking_verdictchange;
DROP FUNCTION tracking_refuse_update;
"""


def fill(apps, schema_editor):
    signal = apps.get_model("tracking", "VerdictSignal")
    signal.objects.bulk_create(
        signal(name=name, effect=effect, most=most, seconds=seconds)
        for name, effect, most, seconds in SIGNALS
    )
    network = apps.get_model("tracking", "CloudNetwork")
    network.objects.bulk_create(
        network(name=name, network=each) for name, networks in NETWORKS.items() for each in networks
    )


class Migration(migrations.Migration):
    dependencies = [("tracking", "0004_events_told_apart")]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunSQL(GUARD, UNGUARD),
    ]
