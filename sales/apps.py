from django.apps import AppConfig


class SalesConfig(AppConfig):
    name = "sales"

    def ready(self) -> None:
        from leads.signals import histories_imported, owner_changed, stage_changed
        from sales import importing, readiness, receivers, routing, timeline
        from scoring.previewing import register_workload

        readiness.register_kinds()
        timeline.register_sources()
        stage_changed.connect(receivers.follow_stage, dispatch_uid="sales.follow_stage")
        importing.register()
        register_workload(routing.workload)
        histories_imported.connect(
            receivers.follow_histories, dispatch_uid="sales.follow_histories"
        )
        owner_changed.connect(receivers.follow_owner, dispatch_uid="sales.follow_owner")
