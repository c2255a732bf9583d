"""The way of one person through the stages, as it went until today."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from random import Random

from funnel_app.demo.company import HOME
from funnel_app.demo.prospects import Person
from funnel_app.demo.seasons import office_hours_before
from funnel_app.demo.selling import meet_sales
from funnel_app.demo.walk import Journey, Later, Walk
from leads.stages import Stage


def tell_journey(person: Person, rng: Random, end: datetime) -> Journey:
    """The stages that `person` has seen before `end`."""
    walk = Walk(person, rng, end)
    try:
        _arrive(walk)
        while _warm_up(walk):
            meet_sales(walk)
    except Later:
        pass
    return walk.journey


def _arrive(walk: Walk) -> None:
    """Captured; Qualified lead as soon as there is consent."""
    starts = walk.person.origin.starts
    walk.move(Stage.LEAD, "system")
    if not walk.happens("qualifies", {"form": 0.82, "list": 0.4, "word": 0.9}[starts]):
        walk.rest()
    walk.wait({"form": 0.0004, "list": 9, "word": 1.5}[starts], 0.8 if starts == "list" else 0.3)
    walk.journey.consent_at = walk.at
    walk.at += timedelta(seconds=walk.rng.uniform(0.2, 2))
    walk.move(Stage.QUALIFIED, "rule")


def _warm_up(walk: Walk) -> bool:
    """From Qualified lead to MQL. False when marketing gives the lead up."""
    if walk.cycle == 1 and walk.happens("is a waste", 0.02 if walk.person.is_wanted else 0.13):
        walk.wait(20, office=True)
        walk.move(Stage.DISQUALIFIED, "marketer", walk.rng.choice(_WASTE[walk.person.is_wanted]))
        return False
    question = "warms" if walk.cycle == 1 else "warms again"
    if not walk.happens(question, _chance_to_warm(walk)):
        walk.rest()
    if walk.person.role and walk.person.role.ending == "waiting":
        walk.until(office_hours_before(walk.end, _hours_waiting(walk.rng), HOME))
    else:
        walk.wait(24, 0.9)
    if _was_met_at_the_fair(walk):
        walk.move(Stage.MQL, "marketer", walk.rng.choice(_MET), is_override=True)
    else:
        walk.move(Stage.MQL, "rule")
    return True


_WASTE = {
    True: ("Works for a competitor", "Left the company"),
    False: ("Student", "Only took part in the draw", "Address bounces", "Looking for a job"),
}
_MET = (
    "Met at the fair: wants a quote before summer",
    "Met at the fair: replaces two lines this year",
    "Asked for a visit at our stand",
)


def _chance_to_warm(walk: Walk) -> float:
    if not walk.person.fits:
        return 0.0
    if not walk.person.is_wanted:
        return 0.1
    if walk.cycle > 1:
        return 0.3
    if walk.person.origin.is_poor:
        return 0.5  # they look the part on paper, which is why they cost sales so much time
    return min(0.42 * math.sqrt(walk.person.origin.quality), 0.75)


def _was_met_at_the_fair(walk: Walk) -> bool:
    is_fair = walk.person.origin.rhythm == "fair" and walk.cycle == 1
    return is_fair and not walk.fate and walk.rng.random() < 0.3


def _hours_waiting(rng: Random) -> float:
    """Working hours that hand-offs wait already: most less than the day they may, a few longer."""
    return rng.uniform(0.1, 7.6) if rng.random() < 0.8 else rng.uniform(8.5, 20)
