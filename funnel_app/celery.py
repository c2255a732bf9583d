"""The Celery application and the one schedule.

Redis carries hints only: each task calls a function that finds its own work in
PostgreSQL, so a lost, doubled or late message changes nothing but latency.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "funnel_app.settings")

app = Celery("funnel_app")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# name: (task, every n seconds). Each line is explained in docs/operations.md.
SCHEDULE: dict[str, tuple[str, float]] = {}

app.conf.beat_schedule = {
    name: {"task": task, "schedule": seconds, "options": {"expires": seconds}}
    for name, (task, seconds) in SCHEDULE.items()
}
