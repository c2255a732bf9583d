"""One thing that a person (or a machine in their name) did, before it is an event row."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from tracking.models import Verdict

HUMAN, SUSPECTED, MACHINE = Verdict.HUMAN.value, Verdict.SUSPECTED.value, Verdict.MACHINE.value
MAIL, OFFLINE = -1, -2  # devices that are none


class Happening(NamedTuple):
    """`device` numbers the person's browsers from 0; MAIL and OFFLINE have none.

    `campaign` is set on the first page of a visit that a campaign brought.
    """

    at: datetime
    kind: str
    path: str = ""
    title: str = ""
    device: int = -1
    properties: dict[str, Any] = {}  # never changed in place
    campaign: str = ""
    verdict: int = HUMAN
