"""Django with nothing in the way: the settings of the view that bench/ingest.py compares with."""

from funnel_app.settings import *  # noqa: F403

ROOT_URLCONF = "bench.orm_view"
MIDDLEWARE: list[str] = []
INSTALLED_APPS = [
    "tracking",
    "leads",
    "users",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.postgres",
]
