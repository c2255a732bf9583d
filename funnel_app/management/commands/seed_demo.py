"""`manage.py seed_demo`: fill an empty database with the story of a demo company."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError
from django.utils.timezone import now

from funnel_app.demo.reporting import Bar, Lines
from funnel_app.demo.seeding import Progress, Size, seed
from leads.refusals import Refused


class Command(BaseCommand):
    """Same seed, same story. A run that was killed leaves nothing behind: run it again."""

    help = "Fills an empty database with a believable company: leads, events, deals, people."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--leads", type=int, default=5_000, help="how many leads")
        parser.add_argument(
            "--events",
            type=int,
            default=300_000,
            help="how many events, a few more if the people alone did more",
        )
        parser.add_argument("--months", type=int, default=18, help="how long the story is")
        parser.add_argument("--seed", type=int, default=7, help="another number, another story")
        parser.add_argument(
            "--force-in-production",
            action="store_true",
            help="create the demo people, whose password is public, in production too",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.IS_PRODUCTION and not options["force_in_production"]:
            raise CommandError(
                "The demo people have a public password; this is production. Nothing was created."
            )
        size = _size(options)
        try:
            with Bar() if sys.stdout.isatty() else Lines(self.stdout) as progress:
                events = self._seed(size, progress)
        except Refused as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"Demo data is ready: {size.leads:,} leads, {events:,} events.")

    def _seed(self, size: Size, progress: Progress) -> int:
        try:
            return seed(size, progress)
        except DatabaseError as error:
            raise CommandError(
                f"The database refused the demo data, nothing of it was kept: {error}"
            ) from error


def _size(options: dict[str, Any]) -> Size:
    for name, least, most in (("leads", 1, 5_000_000), ("events", 0, 10**8), ("months", 3, 60)):
        if not least <= options[name] <= most:
            raise CommandError(f"--{name} must lie between {least:,} and {most:,}.")
    return Size(
        leads=options["leads"],
        events=options["events"],
        months=options["months"],
        seed=options["seed"],
        end=now(),
    )
