"""Make all visits, and first and last touches, anew from all events; with --check only compare."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tracking import visiting


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="compare, change nothing")

    def handle(self, *args: Any, check: bool, **options: Any) -> None:
        if not check:
            self.stdout.write(f"{visiting.rebuild()} visits made.")
            return
        found = visiting.differences()
        if found:
            raise CommandError("\n".join(found))
        self.stdout.write("The visits are what the events say.")
