from django.apps import AppConfig


class LeadsConfig(AppConfig):
    name = "leads"

    def ready(self) -> None:
        from leads import criteria, timeline
        from leads.imports import account_target, lead_target, presets, targets

        criteria.register_own_kinds()
        timeline.register_own_sources()
        targets.register(lead_target.LEADS)
        targets.register(account_target.ACCOUNTS)
        presets.register_own()
