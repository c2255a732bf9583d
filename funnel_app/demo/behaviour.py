"""Everything one lead did that was tracked, in step with the lead's journey.

shaping.py then makes it agree with the score.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from funnel_app.demo import browsing, mailings
from funnel_app.demo.company import (
    ASSETS,
    NEWSLETTERS,
    PRIZE_DRAW,
    WEBINARS,
    WELCOME_MAIL,
)
from funnel_app.demo.happenings import OFFLINE, Happening
from funnel_app.demo.prospects import Person, Weighted
from funnel_app.demo.seasons import at_work, by_day
from funnel_app.demo.walk import Journey
from leads.stages import Stage

_ASSETS = Weighted(ASSETS)
DAY = timedelta(days=1)
NEWSLETTER_EVERY = 14 * DAY


@dataclass(slots=True)
class Habits:
    """How a person uses web and mail; `detail` scales what does not matter for the story."""

    devices: int
    opens: float
    clicks: float
    visits_per_month: float
    leaves_at: datetime  # unsubscribes, or the story ends
    reader: str  # who opens the mail first: see mailings.py
    bounces: bool


def tell_behaviour(
    person: Person, journey: Journey, rng: Random, calendar_end: datetime, detail: float
) -> list[Happening]:
    """What `person` did before `calendar_end`, in order of time."""
    habits = _habits(person, journey, rng, calendar_end, detail)
    told = [
        *_find_us(person, rng),
        *_become_known(person, journey, rng, habits),
        *_get_mail(person, journey, rng, habits, calendar_end, detail),
        *_come_back(person, journey, rng, habits, calendar_end),
        *_look_closer(person, journey, rng, habits, calendar_end),
        *_talk_to_sales(person, journey, rng),
        *_be_a_customer(journey, rng, calendar_end),
    ]
    return sorted((h for h in told if h.at < calendar_end), key=lambda happening: happening.at)


def _habits(person: Person, journey: Journey, rng: Random, end: datetime, detail: float) -> Habits:
    is_warm = bool(journey.proposals)
    leaves = rng.random() < (0.01 if is_warm else 0.08)
    stays = rng.random() * (end - person.known_at)
    visits = rng.expovariate(1 / (0.5 if is_warm else 0.25))
    if not person.fits and rng.random() < 0.15:
        visits += 6  # they read everything and will never buy
    return Habits(
        devices=1 if rng.random() < 0.75 else 2,
        opens=rng.betavariate(2, 3) + (0.2 if is_warm else 0),
        clicks=rng.betavariate(1, 6) + (0.1 if is_warm else 0),
        visits_per_month=visits * detail,
        leaves_at=person.known_at + stays if leaves else end,
        reader=_reader(person),
        bounces=not is_warm and rng.random() < 0.025,
    )


def _reader(person: Person) -> str:
    """A company either has a scanner before its mailboxes or has not."""
    domain = person.company.domain if person.company else person.email
    number = zlib.crc32(domain.encode())  # the same in every process, unlike hash()
    return {0: "scanner", 1: "proxy", 2: "proxy"}.get(number % 14, "person")


def _find_us(person: Person, rng: Random) -> Iterator[Happening]:
    """Visits before anybody knew the name."""
    if person.origin.starts != "form":
        return
    for _nth in range(rng.choice((0, 0, 0, 1, 1, 2))):
        at = by_day(person.known_at - rng.uniform(1, 40) * DAY, person.country.zone, rng)
        yield from browsing.visit(rng, at, 0, campaign=person.origin.campaign)


def _become_known(
    person: Person, journey: Journey, rng: Random, habits: Habits
) -> Iterator[Happening]:
    """The moment at which a visitor gets a name: the first form, or a fair."""
    at = person.known_at
    if person.origin.starts != "form":
        if person.origin.rhythm == "fair":
            yield Happening(
                at, "event_attended", "", "Spring fair", OFFLINE, {"event": "Spring fair"}
            )
        if journey.consent_at is not None:
            yield from browsing.ask_for(rng, journey.consent_at, 0, _ASSETS.draw(rng))
        return
    asset = PRIZE_DRAW if person.origin.is_poor else _ASSETS.draw(rng)
    begun = at - timedelta(minutes=rng.uniform(4, 12))
    yield from browsing.visit(rng, begun, 0, campaign=person.origin.campaign, length=1)
    yield from browsing.ask_for(rng, at, 0, asset)
    if person.origin.rhythm == "webinar":
        title = rng.choice(WEBINARS)
        yield Happening(at + 2 * DAY, "webinar_attended", "", title, OFFLINE, {"webinar": title})


def _get_mail(
    person: Person,
    journey: Journey,
    rng: Random,
    habits: Habits,
    end: datetime,
    detail: float,
) -> Iterator[Happening]:
    """A welcome, then the newsletter every other Tuesday, until they leave."""
    if journey.consent_at is None:
        return
    at = journey.consent_at + timedelta(minutes=2)
    if habits.bounces:
        yield from mailings.bounce(at, WELCOME_MAIL)
        return
    yield from mailings.send(
        rng, at, WELCOME_MAIL, opens=0.75, clicks=habits.clicks, reader=habits.reader
    )
    until = min(habits.leaves_at, end)
    issue = 0
    for issue, at in _newsletter_days(journey.consent_at + DAY, until, detail):
        subject = NEWSLETTERS[issue % len(NEWSLETTERS)]
        yield from mailings.send(
            rng,
            at + timedelta(seconds=rng.uniform(0, 1_800)),
            subject,
            opens=habits.opens,
            clicks=habits.clicks,
            reader=habits.reader,
        )
    if until < end:
        subject = NEWSLETTERS[issue % len(NEWSLETTERS)]
        kind = "email_unsubscribed" if rng.random() < 0.95 else "email_marked_as_spam"
        yield Happening(until, kind, title=subject, properties={"subject": subject})


def _newsletter_days(
    since: datetime, until: datetime, detail: float
) -> Iterator[tuple[int, datetime]]:
    """(issue, Tuesday 08:00 UTC): every other week; at less detail only every nth issue."""
    first = datetime(2024, 1, 2, 8, tzinfo=since.tzinfo)
    step = max(round(1 / detail), 1) if detail < 1 else 1
    issue = -(-(since - first) // NEWSLETTER_EVERY)
    issue += -issue % step
    while (at := first + issue * NEWSLETTER_EVERY) < until:
        yield issue, at
        issue += step


def _come_back(
    person: Person, journey: Journey, rng: Random, habits: Habits, end: datetime
) -> Iterator[Happening]:
    """Visits now and then, rarer the longer ago the first was."""
    known = person.known_at if person.origin.starts == "form" else journey.consent_at
    if known is None:
        return
    at = known
    rate = habits.visits_per_month / 30
    while rate > 1e-3:
        at += timedelta(days=rng.expovariate(rate) + 0.5)
        rate *= 0.9 if person.fits else 0.97
        if at >= end:
            return
        moment = max(by_day(at, person.country.zone, rng), known)
        device = rng.randrange(habits.devices)
        if not person.job.is_buyer and person.company is None and rng.random() < 0.2:
            yield from browsing.look_for_work(rng, moment, device)
        elif not person.fits and rng.random() < 0.3:
            yield from browsing.ask_for(rng, moment, device, _ASSETS.draw(rng))
        else:
            yield from browsing.visit(rng, moment, device)


def _look_closer(
    person: Person, journey: Journey, rng: Random, habits: Habits, end: datetime
) -> Iterator[Happening]:
    """While sales decides, people go on comparing."""
    for step, following in zip(journey.steps, [*journey.steps[1:], None], strict=True):
        if step.move.to_stage not in (Stage.MQL, Stage.SAL, Stage.SQL):
            continue
        span = min((following.at if following else end) - step.at, 25 * DAY)
        for _nth in range(rng.choice((0, 0, 1, 1, 2))):
            at = by_day(step.at + span * rng.uniform(0.02, 0.9), person.country.zone, rng)
            at = max(at, step.at + timedelta(minutes=rng.randint(2, 50)))
            yield from browsing.weigh_up(rng, at, rng.randrange(habits.devices))


def _talk_to_sales(person: Person, journey: Journey, rng: Random) -> Iterator[Happening]:
    """Calls, meetings and answered mails while a rep works on the lead."""
    steps = journey.steps
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if step.move.to_stage not in (Stage.SAL, Stage.SQL):
            continue
        until = following.at if following else step.at + 60 * DAY
        span = until - step.at
        kinds = ("call_held", "email_replied", "meeting_held", "call_held", "email_replied")
        for kind in kinds[: 2 if step.move.to_stage == Stage.SAL else 5]:
            at = at_work(step.at + span * rng.uniform(0.02, 0.95), person.country.zone, rng)
            yield Happening(at, kind, device=-1 if kind == "email_replied" else OFFLINE)


def _be_a_customer(journey: Journey, rng: Random, end: datetime) -> Iterator[Happening]:
    """Customers look for help now and then; happy ones write reviews."""
    for since in journey.times_of(Stage.CUSTOMER):
        at = since
        while (at := at + timedelta(days=rng.expovariate(1 / 25) + 1)) < end:
            yield from browsing.need_help(rng, at, 0)
        if rng.random() < 0.2:
            yield Happening(since + rng.uniform(30, 120) * DAY, "review_posted", device=OFFLINE)
