"""Wall time and computing time of a request: what it took, and what it would take undisturbed.

Computing time is the CPU time of this process and of its database session, so neighbours on the
same machine do not blur it. The session must be on this machine.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import psutil
from django.db import connection


def measure(action: Callable[[], object], rounds: int) -> tuple[float, float]:
    """(p95 of wall time, p95 of computing time), both in milliseconds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        session = psutil.Process(cursor.fetchone()[0])
    own = psutil.Process()
    walls, computed = [], []
    batch = 5  # the clock of CPU time ticks every 10 ms
    for _round in range(rounds):
        cpu = _spent(own) + _spent(session)
        for _each in range(batch):
            began = time.perf_counter()
            action()
            walls.append((time.perf_counter() - began) * 1000)
        computed.append((_spent(own) + _spent(session) - cpu) * 1000 / batch)
    return _p95(walls), _p95(computed)


def computed() -> float:
    """Seconds that this process and its database session computed so far."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        session = psutil.Process(cursor.fetchone()[0])
    return _spent(psutil.Process()) + _spent(session)


def _spent(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _p95(values: list[float]) -> float:
    return statistics.quantiles(values, n=20)[-1]
