"""Hires the demo people and fills the catalogue; then says who sells what to whom."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from django.contrib.auth.hashers import make_password

from funnel_app.demo.company import COLLEAGUES, DEMO_PASSWORD, PRODUCTS, TEAM_OF, TEAMS, Colleague
from funnel_app.demo.names import PEOPLE
from sales.models import Product, RejectReason
from sales.products import ensure_product
from tracking.models import Source
from users.models import Team, User
from users.roles import Role

# One rep for so many leads; the named ones are enough for the usual size.
LEADS_PER_REP = 700
_LANGUAGES = {"Central Europe": "german", "West and South": "english", "Asia Pacific": "korean"}


@dataclass(frozen=True)
class Staff:
    """Everybody and everything that rows refer to."""

    teams: dict[str, Team]
    reps: dict[str, list[User]]  # by team
    by_email: dict[str, User]
    marketer: User
    products: list[Product]
    reasons: dict[str, RejectReason]
    sources: dict[str, Source]

    def team_for(self, country: str) -> Team:
        return self.teams[TEAM_OF[country]]

    def rep_for(self, country: str, rng: Random) -> User:
        return rng.choice(self.reps[TEAM_OF[country]])


def hire(leads: int) -> Staff:
    """Create the teams, people, products and sources of the demo company."""
    password = make_password(DEMO_PASSWORD)  # once: hashing it for each takes seconds
    teams = {
        plan.name: Team.objects.get_or_create(
            name=plan.name, defaults={"countries": list(plan.countries)}
        )[0]
        for plan in TEAMS
    }
    capacity = {plan.name: plan.capacity for plan in TEAMS}
    people = [
        _hire(colleague, teams, capacity, password)
        for colleague in (*COLLEAGUES, *_more_reps(leads))
    ]
    reps = {
        name: [p for p in people if p.role == Role.REP and p.team_id == team.pk]
        for name, team in teams.items()
    }
    return Staff(
        teams=teams,
        reps=reps,
        by_email={person.email: person for person in people},
        marketer=next(person for person in people if person.role == Role.MARKETER),
        products=[ensure_product(product.name) for product in PRODUCTS],
        reasons={reason.code: reason for reason in RejectReason.objects.all()},
        sources=_sources(),
    )


def _more_reps(leads: int) -> list[Colleague]:
    """What a bigger company needs beside the named reps."""
    named = sum(colleague.role == Role.REP for colleague in COLLEAGUES)
    colleagues = []
    for nth in range(max(leads // LEADS_PER_REP - named, 0)):
        team = TEAMS[nth % len(TEAMS)].name
        firsts, lasts = PEOPLE[_LANGUAGES[team]]
        first, last = firsts[nth % len(firsts)], lasts[nth // len(firsts) % len(lasts)]
        colleagues.append(Colleague(first, last, Role.REP, team, f"rep{nth + 1}@demo.example"))
    return colleagues


def _hire(
    colleague: Colleague, teams: dict[str, Team], capacity: dict[str, int], password: str
) -> User:
    person, _was_new = User.objects.get_or_create(
        email=colleague.email,
        defaults={
            "password": password,
            "first_name": colleague.first_name,
            "last_name": colleague.last_name,
            "role": colleague.role,
            "team": teams.get(colleague.team),
            "capacity": capacity.get(colleague.team, 25),
            "is_staff": colleague.role == Role.ADMIN,
            "is_superuser": colleague.role == Role.ADMIN,
        },
    )
    return person


def _sources() -> dict[str, Source]:
    kinds = {
        "web": ("Website", Source.Kind.WEB),
        "mail": ("Mail provider", Source.Kind.MAIL),
        "sales": ("Calendars and calls", Source.Kind.SERVER),
    }
    return {
        key: Source.objects.get_or_create(name=name, defaults={"kind": kind})[0]
        for key, (name, kind) in kinds.items()
    }
