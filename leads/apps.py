from django.apps import AppConfig


class LeadsConfig(AppConfig):
    name = "leads"

    def ready(self) -> None:
        from leads import criteria, timeline

        criteria.register_own_kinds()
        timeline.register_own_sources()
