"""Which leads a statement is about: some by id, or all within a range of ids."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Which:
    """A condition to stand after a column that holds lead ids, and its parameters."""

    sql: str
    values: dict[str, Any]


def these(lead_ids: Iterable[int]) -> Which:
    return Which("= ANY(%(lead_ids)s)", {"lead_ids": list(lead_ids)})


def between(first_id: int, last_id: int) -> Which:
    """Both ends belong to it. For many leads: PostgreSQL then reads the events in one go."""
    return Which("BETWEEN %(first_id)s AND %(last_id)s", {"first_id": first_id, "last_id": last_id})
