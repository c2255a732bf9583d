from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TrackingConfig(AppConfig):
    name = "tracking"
    verbose_name = _("Tracking")

    def ready(self) -> None:
        from leads import signals, timeline
        from leads.duplicates import register_hints
        from leads.merging_queries import register_consequences
        from tracking import history, merging_queries, receivers, touchpoint_import

        timeline.register_activity("events", history)
        signals.merge_starts.connect(receivers.before_merge, dispatch_uid="tracking.merge_starts")
        signals.leads_merged.connect(receivers.on_merged, dispatch_uid="tracking.leads_merged")
        signals.leads_unmerged.connect(
            receivers.on_unmerged, dispatch_uid="tracking.leads_unmerged"
        )
        register_consequences(merging_queries.what_moves)
        register_hints(merging_queries.two_people_at_one_browser)
        register_hints(merging_queries.two_people_by_one_id)
        touchpoint_import.register()
