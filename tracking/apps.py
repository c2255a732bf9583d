from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TrackingConfig(AppConfig):
    name = "tracking"
    verbose_name = _("Tracking")

    def ready(self) -> None:
        from leads import timeline
        from tracking.history import read_entries

        timeline.register_source("events", read_entries)
