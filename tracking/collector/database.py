"""The collector's own connections: short waits, durable commits, one thing at a time."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import psycopg
from django.conf import settings

CONNECT_SECONDS = 2
STATEMENT_SECONDS = 3.0
STALE_SECONDS = 0.3  # a connection that fails sooner was dead before

T = TypeVar("T")
Work = Callable[[psycopg.AsyncConnection], Coroutine[Any, Any, T]]

# Errors of the connection, not of what was sent over it.
LOST = (psycopg.OperationalError, psycopg.InterfaceError, OSError, TimeoutError)


class DatabaseAway(Exception):
    """PostgreSQL does not answer; the sender should come again in a moment."""


class Link:
    """One connection that is opened when needed and dropped on the first trouble."""

    def __init__(self) -> None:
        self._connection: psycopg.AsyncConnection | None = None
        self._abandoned: set[asyncio.Task] = set()
        self._opening = asyncio.Lock()

    async def run(self, query: str, parameters: dict[str, Any] | None = None) -> list[tuple]:
        """Execute one statement, which is one transaction; returns its rows. Raises as `do`."""
        return await self.do(lambda connection: _execute(connection, query, parameters))

    async def do(self, work: Work[T]) -> T:
        """Do something with the connection, which commits each statement unless told otherwise.

        The work must be such that it may be begun anew. Raises DatabaseAway after 5 s at most,
        or psycopg.Error when a statement itself is at fault.
        """
        was_open, began = self._connection is not None, time.monotonic()
        try:
            return await self._do_once(work)
        except DatabaseAway:
            # An idle connection that a restart of the server cut says nothing about it now.
            if not was_open or time.monotonic() - began > STALE_SECONDS:
                raise
        return await self._do_once(work)

    async def _do_once(self, work: Work[T]) -> T:
        try:
            connection = self._connection or await self._open()
            return await self._within(STATEMENT_SECONDS, work(connection))
        except LOST as error:
            await self.close()
            raise DatabaseAway(str(error)) from error

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                await connection.close()

    async def _within(self, seconds: float, work: Coroutine[Any, Any, T]) -> T:
        """The result of the work. A server that hangs is left to itself: cancelling a
        statement politely would itself wait for that server."""
        task = asyncio.ensure_future(work)
        try:
            done, _pending = await asyncio.wait({task}, timeout=seconds)
        except asyncio.CancelledError:
            task.cancel()
            raise
        if done:
            return task.result()
        self._connection = None
        self._abandoned.add(task)
        task.add_done_callback(self._forget)
        task.cancel()
        raise TimeoutError(f"PostgreSQL did not answer within {seconds} s.")

    def _forget(self, task: asyncio.Task) -> None:
        self._abandoned.discard(task)
        with contextlib.suppress(asyncio.CancelledError):
            task.exception()

    async def _open(self) -> psycopg.AsyncConnection:
        async with asyncio.timeout(CONNECT_SECONDS), self._opening:
            if self._connection is None:
                self._connection = await psycopg.AsyncConnection.connect(
                    **_parameters(), autocommit=True
                )
            return self._connection


async def _execute(
    connection: psycopg.AsyncConnection, query: str, parameters: dict[str, Any] | None
) -> list[tuple]:
    cursor = await connection.execute(query, parameters, prepare=True)
    return await cursor.fetchall() if cursor.description else []


def _parameters() -> dict[str, Any]:
    """Where Django's database is, as psycopg wants to know it."""
    place = settings.DATABASES["default"]
    named = {
        "dbname": place["NAME"],
        "user": place["USER"],
        "password": place["PASSWORD"],
        "host": place["HOST"],
        "port": place["PORT"],
    }
    options = dict(place.get("OPTIONS", {}))
    # Whatever the server's default is: an answered event is on disk.
    options["options"] = f"{options.get('options', '')} -c synchronous_commit=on".strip()
    known = {key: value for key, value in named.items() if value not in ("", None)}
    return {**options, **known, "connect_timeout": CONNECT_SECONDS}
