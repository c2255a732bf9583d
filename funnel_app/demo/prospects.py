"""Companies and the people in them, one group per account, from a seed.

A group depends on nothing but the seed and its number, so any part of the
company can be told alone and twice.
"""

from __future__ import annotations

import uuid
from bisect import bisect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate
from random import Random

from funnel_app.demo import casting
from funnel_app.demo.casting import Role
from funnel_app.demo.market import (
    COUNTRIES,
    INDUSTRIES,
    JOBS,
    ORIGINS,
    PRIVATE_JOBS,
    Country,
    Industry,
    Job,
    Origin,
)
from funnel_app.demo.names import COMPANY_TAILS, COMPANY_WORDS, PEOPLE, plain
from funnel_app.demo.seasons import Calendar

MONTH = timedelta(days=30.4)


class Weighted[T]:
    """Draws one of `items`, each as often as its `weight` says."""

    def __init__(self, items: Sequence[T], weights: Sequence[float] | None = None) -> None:
        self.items = items
        self._sums = list(accumulate(weights or [item.weight for item in items]))  # type: ignore[attr-defined]

    def draw(self, rng: Random) -> T:
        return self.items[
            min(bisect(self._sums, rng.random() * self._sums[-1]), len(self.items) - 1)
        ]


_COUNTRIES = Weighted(COUNTRIES)
_BY_CODE = {country.code: country for country in COUNTRIES}
_INDUSTRIES = Weighted(INDUSTRIES)
_TARGETS = Weighted([industry for industry in INDUSTRIES if industry.is_target])
_JOBS = Weighted(JOBS)
_BUYERS = Weighted([job for job in JOBS if job.is_buyer])
_PRIVATE_JOBS = Weighted(PRIVATE_JOBS)
_GROUP_SIZES = Weighted((1, 2, 3, 4, 5, 6, 7), (50, 22, 12, 7, 5, 3, 1))


@dataclass(slots=True)
class Company:
    name: str
    domain: str
    industry: Industry
    country: Country
    employees: int
    revenue: int
    is_described: bool  # somebody looked up industry and size


@dataclass(slots=True)
class Person:
    """Someone who becomes a lead at `known_at`; `company` is None for private people."""

    number: int
    public_id: uuid.UUID
    first_name: str
    last_name: str
    email: str
    phone: str
    job: Job
    country: Country
    company: Company | None
    origin: Origin
    known_at: datetime
    role: Role | None = None  # a fixed part in the story, see casting.py

    fits: bool = False  # by the score: it is enough to become an MQL

    @property
    def is_wanted(self) -> bool:
        """Whether sales would want this person, whatever the score says."""
        return (
            self.company is not None
            and self.job.is_buyer
            and self.company.industry.is_target
            and self.company.employees >= 50
        )

    @property
    def fields(self) -> dict[str, str | Decimal | None]:
        """What fit rules may look at."""
        company = self.company
        described = company if company and company.is_described else None
        return {
            "title": self.job.title,
            "company": company.name if company else None,
            "country": self.country.code,
            "industry": described.industry.name if described else None,
            "employee_count": Decimal(described.employees) if described else None,
            "email_domain": self.email.partition("@")[2],
            "email_type": "corporate" if company else "free",
            "phone": self.phone or None,
            "persona": self.job.persona,
            "channel": self.origin.channel,
            "source": self.origin.source or None,
            "medium": self.origin.medium or None,
            "campaign": self.origin.campaign or None,
        }


@dataclass(slots=True)
class Group:
    """The people of one account (or one private person), and the dice of their story."""

    number: int
    rng: Random
    company: Company | None
    people: list[Person]


def groups(seed: int, leads: int, calendar: Calendar, cast: Sequence[Role]) -> Iterator[Group]:
    """All groups of the story, with exactly `leads` people in all."""
    number = told = 0
    while told < leads:
        group = tell_group(seed, number, calendar, cast[number] if number < len(cast) else None)
        group.people = group.people[: leads - told]
        for offset, person in enumerate(group.people):
            person.number = told + offset
        yield group
        told += len(group.people)
        number += 1


def tell_group(seed: int, number: int, calendar: Calendar, role: Role | None) -> Group:
    rng = Random(seed * 1_000_000_007 + number)  # noqa: S311 - a story, not a secret
    origin, first_at = _arrival(rng, calendar, role)
    country = _BY_CODE[role.country] if role and role.country else _COUNTRIES.draw(rng)
    if role is None and rng.random() < origin.private:
        person = _person(rng, None, country, origin, first_at, _PRIVATE_JOBS.draw(rng))
        return Group(number, rng, None, [person])
    company = _company(rng, number, country, is_target=role is not None)
    size = 1 if role else _GROUP_SIZES.draw(rng)
    people = []
    for nth in range(size):
        jobs = _BUYERS if role else _JOBS
        job = jobs.draw(rng)
        at, way = (first_at, origin) if nth == 0 else _follower(rng, calendar, origin, first_at)
        people.append(_person(rng, company, country, way, at, job))
    _make_addresses_unique(people)
    if role is not None:
        people[0].role = role
    return Group(number, rng, company, people)


def _arrival(rng: Random, calendar: Calendar, role: Role | None) -> tuple[Origin, datetime]:
    """How and when the first person of a group comes."""
    if role is not None:
        at = calendar.end - timedelta(days=rng.uniform(*role.story.days_ago))
        return casting.origin_for(rng, at, calendar.start), max(at, calendar.start)
    origin = _origins(calendar).draw(rng)
    since = calendar.start + origin.from_month * MONTH
    until = min(calendar.start + origin.to_month * MONTH, calendar.end)
    return origin, calendar.draw(rng, origin.rhythm, since, until)


@lru_cache(maxsize=4)
def _origins(calendar: Calendar) -> Weighted[Origin]:
    """The ways in, weighted by how long and how busily each was open."""
    weights = []
    whole = calendar.total("steady", calendar.start, calendar.end)
    for origin in ORIGINS:
        since = calendar.start + origin.from_month * MONTH
        until = min(calendar.start + origin.to_month * MONTH, calendar.end)
        share = calendar.total("steady", since, until) / whole if since < until else 0
        weights.append(origin.weight * share)
    return Weighted(ORIGINS, weights)


def _follower(
    rng: Random, calendar: Calendar, origin: Origin, first_at: datetime
) -> tuple[datetime, Origin]:
    """A colleague of someone known: comes days or months later, often by word of mouth."""
    at = first_at + timedelta(days=rng.expovariate(1 / 45) + 0.2)
    if at >= calendar.end:
        at = first_at + (calendar.end - first_at) * rng.random()
    if rng.random() < 0.4:
        return at, origin
    return at, casting.origin_for(rng, at, calendar.start)


def _company(rng: Random, number: int, country: Country, *, is_target: bool) -> Company:
    industry = (_TARGETS if is_target else _INDUSTRIES).draw(rng)
    stem = _company_name(number, country, industry)
    employees = int(rng.lognormvariate(5.4 if is_target else 4.9, 1.3)) + 3
    if is_target:
        employees = max(employees, 60)
    employees = min(employees, 60_000)
    return Company(
        name=f"{stem} {rng.choice(country.legal_forms.split('|'))}",
        domain=f"{plain(stem)}-{country.code.lower()}.example",
        industry=industry,
        country=country,
        employees=employees,
        revenue=int(round(employees * rng.uniform(90_000, 260_000), -5)),
        is_described=is_target or rng.random() < 0.75,
    )


def _company_name(number: int, country: Country, industry: Industry) -> str:
    """A name given once: the group's number, spelled in first words × trades × last words."""
    words = COMPANY_WORDS[country.names]
    size = len(words) * len(industry.trades) * len(COMPANY_TAILS)
    turn, place = number // size, number * 7919 % size  # 7919 is prime: visits every place
    place, word = divmod(place, len(words))
    tail, trade = divmod(place, len(industry.trades))
    parts = (
        words[word],
        industry.trades[trade],
        COMPANY_TAILS[tail],
        str(turn + 1) if turn else "",
    )
    return " ".join(filter(None, parts))


def _person(
    rng: Random,
    company: Company | None,
    country: Country,
    origin: Origin,
    known_at: datetime,
    job: Job,
) -> Person:
    firsts, lasts = PEOPLE[country.names]
    first, last = rng.choice(firsts), rng.choice(lasts)
    return Person(
        number=0,
        public_id=uuid.UUID(int=rng.getrandbits(128), version=4),
        first_name=first,
        last_name=last,
        email=_address(rng, first, last, company),
        phone=_phone(rng, country),
        job=job,
        country=country,
        company=company,
        origin=origin,
        known_at=known_at,
    )


def _phone(rng: Random, country: Country) -> str:
    if rng.random() > 0.45:
        return ""
    return f"+{country.dial} 555 {rng.randint(100, 999)} {rng.randint(1000, 9999)}"


def _address(rng: Random, first: str, last: str, company: Company | None) -> str:
    """Addresses that nobody owns: `.example` is reserved, and a free-mail address with an
    underscore cannot exist at that provider."""
    if company is not None:
        return f"{plain(first)}.{plain(last)}@{company.domain}"
    return f"{plain(first)}_{plain(last)}_{rng.getrandbits(40):x}@gmail.com"


def _make_addresses_unique(people: list[Person]) -> None:
    seen: set[str] = set()
    for person in people:
        name, _at, domain = person.email.partition("@")
        while person.email in seen:
            person.email = f"{name}{len(seen) + 1}@{domain}"
        seen.add(person.email)
