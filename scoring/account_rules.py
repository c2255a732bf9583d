"""The arithmetic of an account's score, on plain values. No Django, no clock.

Six to ten people decide on a purchase, so one eager person is not yet a deal, and several
who are eager at once are more than the best of them:

  score = best + people + roles + recency

best     the highest score of anybody there
people   5 points for each further person who is engaged, at most 4 of them
roles    3 points for each buying role that somebody engaged plays, at most 5 of them
recency  15 points at the last activity of anybody there, halved every 30 days

Engaged is whose interest is 5 points or more. account_scores.py says the same in SQL.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from scoring.rules import CENT, SECONDS_PER_DAY, decay_factor, to_cents

ENGAGED_FROM = Decimal(5)
PER_PERSON, MOST_PEOPLE = Decimal(5), 4
PER_ROLE, MOST_ROLES = Decimal(3), 5
RECENCY, RECENCY_HALF_LIFE_DAYS = Decimal(15), 30


@dataclass(frozen=True)
class Person:
    """Somebody of the account who has been scored; merged people are not listed."""

    lead_id: int
    score: Decimal
    interest: Decimal
    roles: frozenset[str] = frozenset()
    last_activity_at: datetime | None = None

    @property
    def is_engaged(self) -> bool:
        return self.interest >= ENGAGED_FROM


@dataclass(frozen=True)
class AccountScore:
    """The four parts, in points to the cent; their sum is the score."""

    best: Decimal
    people: Decimal
    roles: Decimal
    recency: Decimal

    @property
    def score(self) -> Decimal:
        return self.best + self.people + self.roles + self.recency


def account_score(people: Iterable[Person], as_of: datetime) -> AccountScore | None:
    """The score of the account that these people belong to; None when nobody is scored."""
    known = list(people)
    if not known:
        return None
    engaged = [person for person in known if person.is_engaged]
    roles = {role for person in engaged for role in person.roles}
    further = min(max(len(engaged) - 1, 0), MOST_PEOPLE)
    return AccountScore(
        best=max(person.score for person in known),
        people=PER_PERSON * further,
        roles=PER_ROLE * min(len(roles), MOST_ROLES),
        recency=recency_of([p.last_activity_at for p in known if p.last_activity_at], as_of),
    )


def recency_of(activities: list[datetime], as_of: datetime) -> Decimal:
    """What the last of these is still worth; nothing when there is none."""
    if not activities:
        return 0 * CENT
    age = max((as_of - max(activities)).total_seconds(), 0.0)
    # Whole seconds: SQL and Python must not differ by what a clock tells beyond them.
    left = decay_factor(age // 1, RECENCY_HALF_LIFE_DAYS)
    return to_cents(float(RECENCY) * left)


def half_life_in_seconds() -> float:
    return RECENCY_HALF_LIFE_DAYS * SECONDS_PER_DAY
