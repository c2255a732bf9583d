from django.apps import AppConfig


class SalesConfig(AppConfig):
    name = "sales"

    def ready(self) -> None:
        from leads.signals import owner_changed, stage_changed
        from sales import readiness, receivers, timeline

        readiness.register_kinds()
        timeline.register_sources()
        stage_changed.connect(receivers.follow_stage, dispatch_uid="sales.follow_stage")
        owner_changed.connect(receivers.follow_owner, dispatch_uid="sales.follow_owner")
