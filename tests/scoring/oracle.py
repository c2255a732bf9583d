"""The score by definition: slow, naive, and sharing not a line with the product.

Works on what was told, not on what is stored: plain dicts of events.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, localcontext
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Europe/Berlin")
MONDAY = datetime(1970, 1, 5).toordinal()


@dataclass(frozen=True)
class Told:
    """An event: when, of which kind, its path and properties; later numbers arrived later."""

    number: int
    kind: str
    at: datetime
    path: str = ""
    properties: dict = field(default_factory=dict, hash=False)
    is_machine: bool = False


@dataclass(frozen=True)
class Law:
    """A signal and what it is worth."""

    kind: str
    points: Decimal
    half_life: int | None
    group: str = ""
    frequency: str = "every"
    most: int = 1
    days: int = 1
    path_contains: str = ""
    window: int | None = None
    silence: int | None = None

    @property
    def lasting(self) -> int | None:
        """The window in days, unless the law is about silence."""
        return None if self.silence else self.window

    @property
    def fading(self) -> int | None:
        return None if self.silence or self.window else self.half_life


def shares_limit(law: Law, one: Told, other: Told) -> bool:
    if law.frequency == "per_distinct":
        return one.path == other.path
    if law.frequency == "per_period":
        days = [e.at.astimezone(ZONE).date().toordinal() - MONDAY for e in (one, other)]
        return days[0] // law.days == days[1] // law.days
    return True


def counts(law: Law, event: Told, story: list[Told], as_of: datetime) -> bool:
    """Fewer than the limit of like events come before it; or time is what the law is about."""
    if not is_meant(law, event):
        return False
    if law.silence:
        return ends_in_silence(law, event, story, as_of)
    if law.lasting and as_of >= event.at + timedelta(days=law.lasting):
        return False
    if law.lasting and law.frequency in ("once", "per_distinct"):
        return not any(
            is_meant(law, e)
            and shares_limit(law, e, event)
            and e.at <= as_of
            and (e.at, e.number) > (event.at, event.number)
            for e in story
        )
    if law.frequency == "every":
        return True
    earlier = [
        e
        for e in story
        if is_meant(law, e)
        and shares_limit(law, e, event)
        and (e.at, e.number) < (event.at, event.number)
    ]
    return len(earlier) < (law.most if law.frequency == "per_period" else 1)


def ends_in_silence(law: Law, event: Told, story: list[Told], as_of: datetime) -> bool:
    """Nothing like it came after it, and by now that lasts long enough."""
    later = [
        e
        for e in story
        if is_meant(law, e) and e.at <= as_of and (e.at, e.number) > (event.at, event.number)
    ]
    return not later and as_of >= event.at + timedelta(days=law.silence or 0)


def is_meant(law: Law, event: Told) -> bool:
    return (
        event.kind == law.kind
        and not event.is_machine
        and law.path_contains.lower() in event.path.lower()
    )


def interest(
    laws: list[Law],
    caps: dict[str, Decimal],
    bounds: tuple[Decimal, Decimal],
    story: list[Told],
    as_of: datetime,
) -> Decimal:
    """With thirty digits, so that the oracle rounds nothing but the end."""
    with localcontext() as context:
        context.prec = 40
        groups: dict[str, Decimal] = {}
        for number, law in enumerate(laws):
            for event in story:
                if event.at <= as_of and counts(law, event, story, as_of):
                    key = law.group or f"rule {number}"
                    groups[key] = groups.get(key, Decimal(0)) + worth(law, event, as_of)
        total = Decimal(0)
        for group, value in groups.items():
            cap = caps.get(group)
            total += value if cap is None else max(-cap, min(cap, value))
        total = max(bounds[0], min(bounds[1], total))
        # A hair of noise below a half counts as the half.
        noise = Decimal("1e-8")
        return (total + noise).quantize(Decimal("0.01"), ROUND_HALF_UP)


def worth(law: Law, event: Told, as_of: datetime) -> Decimal:
    if law.fading is None:
        return law.points
    age = Decimal((as_of - event.at).total_seconds()) / 86400
    return law.points * Decimal(2) ** (-age / law.fading)
