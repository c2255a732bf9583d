"""The whole story of a lead: who, the way through the stages, and what was tracked of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

from funnel_app.demo.behaviour import tell_behaviour
from funnel_app.demo.gauge import Gauge, Meter
from funnel_app.demo.happenings import Happening
from funnel_app.demo.journeys import tell_journey
from funnel_app.demo.market import DECIDER
from funnel_app.demo.prospects import Group, Person
from funnel_app.demo.shaping import shape
from funnel_app.demo.walk import Journey


@dataclass(slots=True)
class LeadStory:
    """`rng` is the group's, for whatever is still to be told."""

    person: Person
    journey: Journey
    happenings: Sequence[Happening]
    rng: Random


def tell_leads(group: Group, gauge: Gauge, end: datetime, detail: float) -> list[LeadStory]:
    """The stories of all people of a group until `end`; `detail` scales how much was tracked."""
    return [_tell(person, group.rng, gauge, end, detail) for person in group.people]


def _tell(person: Person, rng: Random, gauge: Gauge, end: datetime, detail: float) -> LeadStory:
    meter = Meter(gauge, person.fields)
    if person.role and not meter.fits:
        person.job = DECIDER  # who has a part to play must be somebody whom sales may meet
        meter = Meter(gauge, person.fields)
    person.fits = meter.fits
    journey = tell_journey(person, rng, end)
    told = tell_behaviour(person, journey, rng, end, detail)
    first_form_at = person.known_at if person.origin.starts == "form" else None
    happenings = shape(told, journey, meter, rng, end, first_form_at)
    return LeadStory(person, journey, happenings, rng)
