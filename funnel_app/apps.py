"""The project as an app: its checks, commands and template tags."""

from django.apps import AppConfig


class FunnelAppConfig(AppConfig):
    """On start it registers the checks that refuse unsafe settings."""

    name = "funnel_app"

    def ready(self) -> None:
        from funnel_app import checks  # noqa: F401
