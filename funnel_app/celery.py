"""The Celery application and the one schedule.

Redis carries hints only: each task calls a function that finds its own work in
PostgreSQL, so a lost, doubled or late message changes nothing but latency.
"""

import os

from celery import Celery
from celery.signals import beat_init, worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "funnel_app.settings")

app = Celery("funnel_app")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# name: (task, every n seconds). Each line is explained in docs/operations.md.
SCHEDULE: dict[str, tuple[str, float]] = {
    "scores_decay": ("scoring.tasks.refresh", 600),
    "predictions_are_made": ("scoring.tasks.predict", 600),
    "scores_are_verified": ("scoring.tasks.verify", 86_400),
    "mail_domains_are_kept_up": ("scoring.tasks.keep_up_mail_domains", 86_400),
    "jobs_are_run": ("tracking.tasks.run_jobs", 60),
    "old_files_are_dropped": ("leads.tasks.drop_old_files", 86_400),
}

app.conf.beat_schedule = {
    name: {"task": task, "schedule": seconds, "options": {"expires": seconds}}
    for name, (task, seconds) in SCHEDULE.items()
}


@worker_init.connect
@beat_init.connect
def refuse_unsafe_start(**_: object) -> None:
    """End the process before it takes work when settings or database are unsafe."""
    from funnel_app import checks

    checks.refuse_unsafe_start()
