"""The reject reasons an organisation starts with. Admins edit the rows."""

from django.utils.translation import gettext_noop as _

# (code, label, days until the lead may come back; None: it is disqualified)
DEFAULT_REASONS = (
    ("no_budget", _("No budget"), 180),
    ("bad_timing", _("Bad timing"), 90),
    ("wrong_person", _("Wrong person"), 60),
    ("unreachable", _("Unreachable"), 30),
    ("needs_nurture", _("Not ready yet, only gathering information"), 45),
    ("uses_competitor", _("Under contract with a competitor"), 270),
    ("not_a_fit", _("Not a fit"), None),
    ("is_competitor", _("Works for a competitor"), None),
    ("student", _("Student or job seeker"), None),
    ("duplicate", _("Duplicate"), None),
    ("bad_data", _("Bad data"), None),
)
