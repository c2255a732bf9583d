from django.apps import AppConfig


class ScoringConfig(AppConfig):
    name = "scoring"

    def ready(self) -> None:
        from scoring import criteria, receivers  # noqa: F401  connects the receivers

        criteria.register_own_kinds()
