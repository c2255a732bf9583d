"""Which leads a statement is about: some by id, or all within a range of ids."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.models import QuerySet


@dataclass(frozen=True)
class Which:
    """A condition to stand after a column that holds lead ids, and its parameters."""

    sql: str
    values: dict[str, Any]


def these(lead_ids: Iterable[int]) -> Which:
    return Which("= ANY(%(lead_ids)s::bigint[])", {"lead_ids": as_array(lead_ids)})


def as_array(values: Iterable[object]) -> str:
    """Numbers or instants as PostgreSQL writes an array: quoting each one takes far longer."""
    return "{" + ",".join(map(str, values)) + "}"


def between(first_id: int, last_id: int) -> Which:
    """Both ends belong to it. For many leads: PostgreSQL then reads the events in one go."""
    return Which("BETWEEN %(first_id)s AND %(last_id)s", {"first_id": first_id, "last_id": last_id})


EVERYBODY = Which("IS NOT NULL", {})


def among(leads: QuerySet, prefix: str) -> Which:
    """Those of a queryset, which the statement asks itself; its parameters begin with `prefix`."""
    try:
        sql, given = leads.order_by().values("pk").query.sql_with_params()
    except EmptyResultSet:
        return Which("= ANY(ARRAY[]::bigint[])", {})
    values = {f"{prefix}_{place}": value for place, value in enumerate(given)}
    names = iter(values)
    named = re.sub("%s", lambda _match: f"%({next(names)})s", sql)
    return Which(f"IN ({named})", values)
