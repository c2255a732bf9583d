from django.core.management.base import BaseCommand

from funnel_app import translations


class Command(BaseCommand):
    help = "Collect all texts into locale/<language>/LC_MESSAGES/django.po, keeping translations."

    def add_arguments(self, parser) -> None:
        parser.add_argument("language", nargs="?", default="ko")

    def handle(self, *, language: str, **options) -> None:
        translations.update(language)
        missing = translations.missing(language)
        self.stdout.write(f"{len(missing)} texts have no translation into {language} yet.")
