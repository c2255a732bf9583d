from django.core.management.base import BaseCommand

from funnel_app import translations


class Command(BaseCommand):
    help = "Collect all texts into locale/<language>/LC_MESSAGES/django.po, keeping translations."

    requires_system_checks: list[str] = []  # needs no database

    def add_arguments(self, parser) -> None:
        parser.add_argument("language", nargs="?", default="ko")

    def handle(self, *, language: str, **options) -> None:
        translations.update(language)
        missing = translations.missing(language)
        self.stdout.write(f"{len(missing)} texts have no translation into {language} yet.")
