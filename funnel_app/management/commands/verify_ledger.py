"""`manage.py verify_ledger`: prove that the books balance, or say where they do not."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from typing import IO, Any, cast

from django.core.management.base import BaseCommand
from rich.console import Console
from rich.table import Table
from rich.text import Text

from funnel_app.verifying import Item, items
from leads.verifying import Outcome


class Command(BaseCommand):
    """Reads only, and can run beside everything else. Exits with 1 if anything is wrong."""

    help = "Proves that ledger = score, episodes = stage, counters = events."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--all",
            action="store_true",
            help="compare every lead with the raw events in Python too, not a sample of 500",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(
            file=cast(IO[str], self.stdout), width=None if self.stdout.isatty() else 120
        )
        table = Table("", "What was checked", "Wrong", "Seconds")
        wrong: list[Outcome] = []
        for item in items(None if options["all"] else 500):
            wrong += [outcome for outcome in _add(table, item) if outcome.count]
        console.print(table)
        for outcome in wrong:
            console.print(Text(f"Not true: {outcome.title}. {outcome.count:,} times, such as:"))
            for example in outcome.examples:
                console.print(Text(f"  {example}"))
        if wrong:
            sys.exit(1)
        console.print("The books balance.")


def _add(table: Table, item: Item) -> list[Outcome]:
    started = time.monotonic()
    outcomes = item.run()
    seconds = f"{time.monotonic() - started:.1f}"
    for outcome in outcomes:
        table.add_row(item.about, outcome.title, f"{outcome.count:,}", seconds)
    return outcomes
