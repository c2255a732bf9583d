"""Django with nothing in the way: the settings of the view that bench/ingest.py compares with."""

from funnel_app.settings import *  # noqa: F403
from funnel_app.settings import INSTALLED_APPS as OURS

ROOT_URLCONF = "bench.orm_view"
MIDDLEWARE: list[str] = []
INSTALLED_APPS = [app for app in OURS if not app.startswith("allauth")]
