"""Whose write key is it? All keys are few, so the process remembers all of them."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from typing import NamedTuple

from tracking.collector.database import DatabaseAway, Link

FRESH_SECONDS = 5.0  # a revoked key works no longer than this
NOTED_SECONDS = 60.0  # how often the use of a key is written down
RETRY_SECONDS = 0.2  # how often unknown keys may make us look again

# Messages a second, and at once after a pause, with a public key that nobody set a limit for:
# anybody can read it in a page, so it must not be a way to fill the disk.
PUBLIC_PER_SECOND = 500
PUBLIC_BURST = 100_000

_KEYS = """
SELECT k.key, k.key_hash, k.id, k.source_id, k.is_secret, k.allowed_origins, k.scopes,
       k.per_second, k.burst
  FROM tracking_writekey k JOIN tracking_source s ON s.id = k.source_id
 WHERE k.revoked_at IS NULL AND s.is_active
"""
# Skipping a locked row: it is no matter if another process is writing the same.
_USED = """
UPDATE tracking_writekey SET last_used_at = now() WHERE id IN (
  SELECT id FROM tracking_writekey WHERE id = %(id)s FOR NO KEY UPDATE SKIP LOCKED)
"""


class Sender(NamedTuple):
    """Who signed a request, and what that key is good for. Trusted: with a secret key."""

    key_id: int
    source_id: int
    is_trusted: bool
    origins: tuple[str, ...] = ()  # of a public key; empty: from everywhere
    scopes: frozenset[str] = frozenset()  # of a secret key
    per_second: int | None = None  # messages; None: no limit, of a secret key
    burst: int | None = None


class KeyRing:
    """All valid write keys, at most FRESH_SECONDS old; older while the database is away."""

    def __init__(self) -> None:
        self.link = Link()
        self._public: dict[str, Sender] = {}
        self._secret: dict[str, Sender] = {}  # by fingerprint
        self._noted_at: dict[int, float] = {}  # by key id
        self._tasks: set[asyncio.Task] = set()
        self._loaded_at = self._failed_at = float("-inf")
        self._lock = asyncio.Lock()

    async def find(self, key: str) -> Sender | None:
        """The sender of a key; None when it is unknown or revoked. Raises DatabaseAway."""
        age = time.monotonic() - self._loaded_at
        sender = self._look_up(key) if age < FRESH_SECONDS else None
        if sender is None:
            await self._reload()
            sender = self._look_up(key)
        if sender is not None:
            self._note_use(sender.key_id)
        return sender

    def _look_up(self, key: str) -> Sender | None:
        return self._public.get(key) or self._secret.get(fingerprint(key))

    async def _reload(self) -> None:
        seen, asked_at = self._loaded_at, time.monotonic()
        async with self._lock:
            if self._loaded_at != seen:
                return  # somebody else did it while we waited
            if self._failed_at > asked_at:
                raise DatabaseAway("It was away a moment ago.")
            # A key made this moment is found, and guessing keys costs us little.
            await asyncio.sleep(seen + RETRY_SECONDS - time.monotonic())
            try:
                rows = await self.link.run(_KEYS)
            except DatabaseAway:
                self._failed_at = time.monotonic()
                raise
            self._public, self._secret = {}, {}
            for key, key_hash, *rest in rows:
                sender = _sender(*rest)
                if sender.is_trusted:
                    self._secret[key_hash] = sender
                else:
                    self._public[key] = sender
            self._loaded_at = time.monotonic()

    def _note_use(self, key_id: int) -> None:
        now = time.monotonic()
        if now - self._noted_at.get(key_id, float("-inf")) > NOTED_SECONDS:
            self._noted_at[key_id] = now
            task = asyncio.get_running_loop().create_task(self._write_use(key_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _write_use(self, key_id: int) -> None:
        with contextlib.suppress(DatabaseAway):
            await self.link.run(_USED, {"id": key_id})


def _sender(
    key_id: int,
    source_id: int,
    is_trusted: bool,
    origins: list[str],
    scopes: list[str],
    per_second: int | None,
    burst: int | None,
) -> Sender:
    if per_second is None and not is_trusted:
        per_second, burst = PUBLIC_PER_SECOND, PUBLIC_BURST
    return Sender(
        key_id, source_id, is_trusted, tuple(origins), frozenset(scopes), per_second, burst
    )


def fingerprint(key: str) -> str:
    """How a secret key is kept: it has 192 random bits, so a plain hash cannot be guessed."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
