"""The figures of the quadrant page as rows of its tables."""

from __future__ import annotations

from dataclasses import dataclass

from leads.models import Standing
from leads.stages import Stage
from scoring.quadrant_cells import REACHED, Crowd
from scoring.quadrants import BAND, Figures, Tally


@dataclass(frozen=True)
class QuadrantRow:
    """One quadrant; `share` of all leads and `reached` (stage, count, share) in per cent."""

    key: str
    label: str
    count: int
    share: float | None
    reached: tuple[tuple[Stage, int, float | None], ...]


def quadrant_rows(figures: Figures) -> list[QuadrantRow]:
    """One row per quadrant, the best first, and all leads together at the end (key "")."""
    rows = [
        _row(key, str(Standing.Quadrant(key).label), tally, figures.total.count)
        for key, tally in figures.quadrants.items()
    ]
    return [*rows, _row("", "", figures.total, figures.total.count)]


def _row(key: str, label: str, tally: Tally, total: int) -> QuadrantRow:
    reached = tuple(
        (stage, count, _percent(share))
        for stage, count, share in zip(REACHED, tally.reached, tally.shares, strict=True)
    )
    return QuadrantRow(
        key, label, tally.count, _percent(tally.count / total if total else None), reached
    )


def _percent(share: float | None) -> float | None:
    return None if share is None else share * 100


@dataclass(frozen=True)
class BandTable:
    """Counts by bands of ten points: a column for each band of fit, a row for each of interest."""

    fits: list[str]
    rows: list[tuple[str, list[int]]]


def band_table(crowd: Crowd) -> BandTable:
    """Only bands from the least to the greatest that hold anybody; most interest first."""
    bands = crowd.bands(BAND)
    if not bands:
        return BandTable([], [])
    fits = _steps([fit for fit, _interest in bands])
    interests = _steps([interest for _fit, interest in bands])
    rows = [
        (_words(interest), [bands.get((fit, interest), 0) for fit in fits])
        for interest in reversed(interests)
    ]
    return BandTable([_words(fit) for fit in fits], rows)


def _steps(places: list[int]) -> list[int]:
    return list(range(min(places), max(places) + BAND, BAND))


def _words(least: int) -> str:
    return f"{least} … {least + BAND}"
