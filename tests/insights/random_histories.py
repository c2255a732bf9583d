"""Random but legal histories, for hypothesis."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st

from leads.stages import Stage, moves_from
from tests.insights.conftest import NOW
from tests.insights.histories import ZONE, History, Step, at

LONGEST = 11
_GAPS = st.one_of(
    st.integers(0, 60 * 100),  # up to four days, in minutes
    st.integers(0, 60 * 24 * 120),
    st.sampled_from([0, 60 * 24 * 30, 60 * 24 * 90, 60 * 24 * 90 - 1]),
)


@st.composite
def histories(draw) -> History:
    moment = at("2025-09-01") + timedelta(minutes=draw(st.integers(0, 60 * 24 * 445)))
    steps = [Step("lead", moment, is_date_unknown=draw(st.booleans()) and draw(st.booleans()))]
    for _ in range(draw(st.integers(0, LONGEST))):
        # Going forward is likelier than dropping out, or nobody would become a customer.
        targets, forward = _ways_on(steps)
        target = draw(st.sampled_from(targets + forward * 6))
        minutes = draw(_GAPS)
        moment += timedelta(minutes=minutes)
        if moment.timestamp() > NOW.timestamp():
            break
        is_passed = draw(st.integers(0, 9)) == 0 and minutes == 0
        is_date_unknown = draw(st.integers(0, 4)) == 0
        steps.append(Step(target, moment, is_passed, is_date_unknown))
    lead = {
        "channel": draw(st.sampled_from(["email", "event"])),
        "source": draw(st.sampled_from(["", "fair"])),
        "country": draw(st.sampled_from(["DE", "KR"])),
    }
    return History([_in_zone(step) for step in steps], lead)


def _ways_on(steps: list[Step]) -> tuple[list[str], list[str]]:
    """Where the lead may go next, and which of it is forward. A merge may be taken apart."""
    here = steps[-1].stage
    if here == Stage.MERGED:
        return [steps[-2].stage], []
    targets = sorted(moves_from(here))
    return targets, [stage for stage in targets if moves_from(here)[stage].kind == "advanced"]


def _in_zone(step: Step) -> Step:
    return Step(
        step.stage, step.entered_at.astimezone(ZONE), step.is_pass_through, step.is_date_unknown
    )
