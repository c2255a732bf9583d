from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TrackingConfig(AppConfig):
    name = "tracking"
    verbose_name = _("Tracking")

    def ready(self) -> None:
        from leads import signals, timeline
        from tracking import receivers
        from tracking.history import read_entries

        timeline.register_source("events", read_entries)
        signals.merge_starts.connect(receivers.before_merge, dispatch_uid="tracking.merge_starts")
        signals.leads_merged.connect(receivers.on_merged, dispatch_uid="tracking.leads_merged")
        signals.leads_unmerged.connect(
            receivers.on_unmerged, dispatch_uid="tracking.leads_unmerged"
        )
