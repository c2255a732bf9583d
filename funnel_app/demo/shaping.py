"""Makes a lead's behaviour agree with the score: nobody is promising before their hour.

While a lead could become an MQL, what would make it promising is left out of the
story. When its hour comes, one thing more happens, and that lifts it over the threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from funnel_app.demo.company import ASSETS, COMPARE, DEMO_FORM, PRICING, WEBINARS, Page
from funnel_app.demo.gauge import Meter
from funnel_app.demo.happenings import OFFLINE, Happening
from funnel_app.demo.walk import Journey, Step
from leads.stages import Stage

# The seconds before an MQL belong to what made it one.
EVE = timedelta(minutes=4)


def shape(
    told: Sequence[Happening],
    journey: Journey,
    meter: Meter,
    rng: Random,
    end: datetime,
    first_form_at: datetime | None,
) -> list[Happening]:
    """What of `told` (in order of time) happened, and what made each MQL one, in order of time.

    The form that gave a visitor a name, at `first_form_at`, always happened.
    """
    kept: list[Happening] = []
    steps = list(journey.steps)
    present: Step | None = None
    for happening in told:
        while steps and steps[0].at <= happening.at:
            present = steps.pop(0)
            _reach(present, journey, kept, meter, rng)
        if _is_eve(steps, happening):
            continue
        if _could_cross(present, happening.at) and meter.would_promise(happening):
            if happening.at != first_form_at:
                continue
            kept.clear()
            meter.reset()
        meter.take(happening)
        kept.append(happening)
    for step in steps:
        _reach(step, journey, kept, meter, rng)
    _stay_quiet(journey, meter, end)
    return kept


def _is_eve(steps: Sequence[Step], happening: Happening) -> bool:
    return bool(steps) and _is_crossing(steps[0]) and happening.at > steps[0].at - EVE


def _is_crossing(step: Step) -> bool:
    return step.move.to_stage == Stage.MQL and step.by == "rule"


def _could_cross(present: Step | None, at: datetime) -> bool:
    """Whether a promising lead would become an MQL now."""
    if present is None:
        return True  # what came before the name counts as soon as there is one
    if present.move.to_stage not in (Stage.LEAD, Stage.QUALIFIED):
        return False
    return present.not_before_on is None or at.date() >= present.not_before_on


def _reach(step: Step, journey: Journey, kept: list[Happening], meter: Meter, rng: Random) -> None:
    """Arrive at a step; an MQL is proposed with the score of that moment."""
    _cross(step, kept, meter, rng)
    for proposal in journey.proposals:
        if step.move.to_stage == Stage.MQL and proposal.submitted_at == step.at:
            proposal.fit, proposal.interest = meter.fit, meter.interest_at(step.at)


def _cross(step: Step, kept: list[Happening], meter: Meter, rng: Random) -> None:
    """Let the last thing happen that makes the lead an MQL at this step."""
    if not _is_crossing(step):
        return
    ways = [_price, _read, _listen]
    rng.shuffle(ways)
    for way in [*ways, _ask, _ask_after_reading]:
        happenings = _until_promising(way(rng, step.at), meter.copy())
        if happenings:
            break
    else:
        happenings = _ask(rng, step.at)
    last = happenings[-1].at
    for happening in happenings:
        moved = happening._replace(at=happening.at + (step.at - timedelta(seconds=2) - last))
        meter.take(moved)
        kept.append(moved)


def _until_promising(happenings: list[Happening], trial: Meter) -> list[Happening]:
    """The happenings up to the one that makes the lead promising; none if none does."""
    for nth, happening in enumerate(happenings, start=1):
        trial.take(happening)
        if trial.promises_at(happening.at):
            return happenings[:nth]
    return []


def _stay_quiet(journey: Journey, meter: Meter, end: datetime) -> None:
    """A lead that was sent back and is still hot today waits until it has cooled."""
    present = journey.steps[-1]
    is_back = present.move.to_stage == Stage.QUALIFIED and present.cycle > 1
    if not is_back or not _could_cross(present, end):
        return
    day = end
    while meter.promises_at(day):
        day += timedelta(days=14)
    if day > end:
        present.not_before_on = day.date()
        proposals = [p for p in journey.proposals if p.decided_at == present.at]
        for proposal in proposals:
            proposal.not_before_on = present.not_before_on


def _at(step_at: datetime, seconds: float) -> datetime:
    return step_at - timedelta(seconds=seconds)


def _price(rng: Random, at: datetime) -> list[Happening]:
    return [
        _page(COMPARE, "page_viewed", _at(at, 200), rng),
        _page(PRICING, "pricing_page_viewed", _at(at, 110), rng),
        _page(PRICING, "pricing_page_viewed", _at(at, 2), rng),
    ]


def _page(page: Page, kind: str, at: datetime, rng: Random) -> Happening:
    return Happening(at, kind, page.path, page.title, 0, {"engaged_seconds": rng.randint(20, 85)})


def _read(rng: Random, at: datetime) -> list[Happening]:
    asset = rng.choice(ASSETS)
    form, file = {"form": asset.title}, {"asset": asset.title}
    return [
        Happening(_at(at, 40), "form_submitted", asset.page, asset.title, 0, form),
        Happening(_at(at, 2), "file_downloaded", asset.path, asset.title, 0, file),
    ]


def _listen(rng: Random, at: datetime) -> list[Happening]:
    title = rng.choice(WEBINARS)
    return [Happening(_at(at, 2), "webinar_attended", "", title, OFFLINE, {"webinar": title})]


def _ask(rng: Random, at: datetime) -> list[Happening]:
    said = {"form": DEMO_FORM.title}
    return [
        *_price(rng, at)[:2],
        Happening(_at(at, 2), "demo_requested", DEMO_FORM.page, DEMO_FORM.title, 0, said),
    ]


def _ask_after_reading(rng: Random, at: datetime) -> list[Happening]:
    return [*(h._replace(at=h.at - timedelta(seconds=60)) for h in _read(rng, at)), *_ask(rng, at)]
