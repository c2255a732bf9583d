from __future__ import annotations

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from funnel_app.checks import refuse_unsafe_start
from funnel_app.relay import DRAINS, run


class Command(BaseCommand):
    help = "Work off what waits in the database, until SIGTERM or Ctrl-C."
    # They ask the database, which may be away when the relay starts.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        refuse_unsafe_start()
        self.stdout.write(f"Draining {', '.join(drain.name for drain in DRAINS)}.")
        self.stdout.flush()
        run(stop)
