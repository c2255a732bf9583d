"""The arithmetic of funnels on plain numbers: rates, time in stage, what became of a stay.

Durations are codes that grow with time: whole hours below HOURS (72), from then
on 69 + whole days, so that three days are 72 on either scale. OPEN stands for a stay
that has not ended, UNKNOWN for one that has, when one of its ends is no known instant.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

OPEN = -1
UNKNOWN = -2
HOURS = 72
_SHIFT = HOURS - HOURS // 24

MOVED_ON = "advanced"
# The exits that make up the drop-off. Buying again ("reopened") is none.
DROPS = ("recycled", "disqualified", "lost", "churned")

Fate = Literal["converted", "dropped", "undecided"]


def rate(part: int, whole: int) -> float | None:
    """The share 0..1, or None when there is nothing to take a share of."""
    return part / whole if whole else None


def duration_code(hours: int) -> int:
    return hours if hours < HOURS else _SHIFT + hours // 24


def day_code(days: int) -> int:
    """The code of a duration of whole days."""
    return duration_code(days * 24)


def code_hours(code: int) -> int:
    """The shortest duration with this code, in hours."""
    return code if code < HOURS else (code - _SHIFT) * 24


def age_code(days_since: int) -> int:
    """What a stay that began `days_since` calendar days ago and is still open took at least."""
    return day_code(max(days_since - 1, 0))


def fate(exit_kind: str) -> Fate:
    """What an exit within the window makes of a stay. One that left later, or not, is undecided."""
    if exit_kind == MOVED_ON:
        return "converted"
    return "dropped" if exit_kind in DROPS else "undecided"


def survival_curve(
    ended: Mapping[int, int], still_open: Mapping[int, int]
) -> list[tuple[int, float]]:
    """The share of stays that last longer than each duration (Kaplan–Meier), falling.

    `ended` counts ended stays by duration, `still_open` the others by how long they
    have lasted so far; these tell that a stay lasts at least that long and no more.
    """
    at_risk = sum(ended.values()) + sum(still_open.values())
    surviving, curve = 1.0, []
    for duration in sorted({*ended, *still_open}):
        leaving = ended.get(duration, 0)
        if leaving:
            surviving *= 1 - leaving / at_risk
            curve.append((duration, surviving))
        at_risk -= leaving + still_open.get(duration, 0)
    return curve


def quantile(curve: list[tuple[int, float]], share: float) -> int | None:
    """By when `share` of all stays have ended; None when fewer have within the longest seen."""
    rest = 1 - share + 1e-9  # for what floating point loses
    return next((duration for duration, surviving in curve if surviving <= rest), None)
