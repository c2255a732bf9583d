"""Make the roll-ups of the funnel anew from all episodes; with --check only compare."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from insights import folding, verifying


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="compare, change nothing")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        if not check:
            self.stdout.write(f"{folding.rebuild()} stays rolled up.")
        found = verifying.differences()
        if found:
            raise CommandError("\n".join(found))
        self.stdout.write("The roll-ups are what the episodes say.")
