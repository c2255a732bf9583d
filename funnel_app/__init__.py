"""The project: settings, addresses, processes."""

from funnel_app.celery import app as celery_app

__all__ = ["celery_app"]
