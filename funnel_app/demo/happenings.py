"""One thing that a person (or a machine in their name) did, before it is an event row."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

HUMAN, SUSPECTED, MACHINE = "human", "suspected", "machine"


class Happening(NamedTuple):
    """`device` numbers the person's browsers from 0; -1 is mail, or the world outside.

    `signs` are what told that a machine did it.
    """

    at: datetime
    kind: str
    path: str = ""
    title: str = ""
    device: int = -1
    properties: dict[str, Any] = {}
    campaign: str = ""
    verdict: str = HUMAN
    signs: tuple[str, ...] = ()
