"""Parts that must be played whatever the dice say, so that no chart and no inbox is empty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import cycle, islice
from random import Random

from funnel_app.demo.market import COUNTRIES, LEAK_COUNTRY, ORIGINS, Origin

# Questions that the dice would answer, answered by a fixed part.
_WARM = {"qualifies": True, "is a waste": False, "warms": True}
_TAKEN = _WARM | {"is accepted": True}
_AT_WORK = _TAKEN | {"has a project": True}
_BUYER = _AT_WORK | {"buys": True, "churns": False, "comes back": False}
_REJECTED = _WARM | {"is accepted": False}


@dataclass(frozen=True)
class Ending:
    """What comes true, where the story then rests, and how many days ago it began."""

    fate: dict[str, bool]
    rests: str
    days_ago: tuple[float, float]


ENDINGS = {
    "waiting": Ending(_WARM, "mql", (8, 60)),
    "customer": Ending(_BUYER, "customer", (400, 520)),
    "sal": Ending(_TAKEN, "sal", (65, 80)),
    "sql": Ending(_AT_WORK, "sql", (100, 160)),
    "lost": Ending(_AT_WORK | {"buys": False}, "lost", (400, 520)),
    "recycled": Ending(_REJECTED, "qualified", (65, 160)),
    "disqualified": Ending({"qualifies": True, "is a waste": True}, "disqualified", (200, 520)),
    "churned": Ending(_BUYER | {"churns": True}, "churned", (490, 530)),
    "reopened": Ending(_BUYER | {"comes back": True}, "qualified", (490, 530)),
    "again": Ending(_REJECTED | {"warms again": True}, "", (300, 500)),
}


@dataclass(frozen=True)
class Role:
    """A fixed part. `days_ago` is the window in which the person becomes known."""

    ending: str
    country: str = ""
    # The e-mail address of the rep in whose inbox the lead waits; empty: in the team's queue.
    rep: str = ""

    @property
    def story(self) -> Ending:
        return ENDINGS[self.ending]


def cast_roles(reps: Sequence[tuple[str, Sequence[str]]], leads: int, seed: int) -> list[Role]:
    """The parts of a story with `leads` people; `reps` are (address, countries of the team).

    At most a fifth of the people wait in inboxes, at most a tenth play other parts.
    """
    rng = Random(seed)  # noqa: S311 - a story, not a secret
    fair = max(leads // (5 * max(len(reps), 1)), 1)
    waiting = [
        Role("waiting", country=_country_for(rng, countries), rep=rep)
        for rep, countries in reps
        for _nth in range(min(rng.randint(5, 9), fair))
    ]
    endings = [ending for ending in ENDINGS if ending != "waiting"]
    others = islice(cycle(endings), min(len(endings) * 3, max(leads // 10, len(endings))))
    queued = [Role("waiting", country=LEAK_COUNTRY)] * min(3, fair)
    return waiting + queued + [Role(ending) for ending in others]


def _country_for(rng: Random, codes: Sequence[str]) -> str:
    weights = [c.weight for c in COUNTRIES if c.code in codes]
    return rng.choices([c.code for c in COUNTRIES if c.code in codes], weights)[0]


def origin_for(rng: Random, at: datetime, start: datetime) -> Origin:
    """One of the good ways in that were open at that time."""
    month = int((at - start).days / 30.4)
    options, weights = _open_in(max(month, 0))
    return rng.choices(options, weights)[0]


@cache
def _open_in(month: int) -> tuple[list[Origin], list[float]]:
    options = [
        o
        for o in ORIGINS
        if o.from_month <= month < o.to_month and o.rhythm == "steady" and o.quality >= 0.8
    ]
    return options, [o.weight for o in options]
