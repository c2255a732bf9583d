"""Coordinates of the pictures, made on the server as texts for SVG attributes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

SIDE = 200  # of the square in which 0..1 is drawn
SMALLEST, LARGEST = 3.0, 9.0
LEAST_LOSS = 0.0005  # of AUC


@dataclass(frozen=True)
class Dot:
    """A bin of the reliability diagram: centre and radius in SVG units, figures in per cent."""

    x: str
    y: str
    radius: str
    said: float
    came: float
    count: int


def reliability(bins: list[dict[str, Any]]) -> list[Dot]:
    """One dot per bin; its area grows with the number of rows."""
    most = max((one["count"] for one in bins), default=1)
    return [
        Dot(
            x=f"{SIDE * one['said']:.1f}",
            y=f"{SIDE * (1 - one['came']):.1f}",
            radius=f"{max(SMALLEST, LARGEST * (one['count'] / most) ** 0.5):.1f}",
            said=100 * one["said"],
            came=100 * one["came"],
            count=one["count"],
        )
        for one in bins
    ]


@dataclass(frozen=True)
class Bar:
    """A factor: `width` 0..100 of the strongest, `points` of AUC that it is worth."""

    label: str
    width: str
    points: float


def bars(named: list[tuple[str, float]], most: int = 12) -> list[Bar]:
    """The strongest factors; what is worth nothing that the page could show is left out."""
    shown = [(label, loss) for label, loss in named if loss >= LEAST_LOSS][:most]
    top = max((loss for _label, loss in shown), default=1.0)
    return [Bar(label, f"{100 * loss / top:.1f}", loss) for label, loss in shown]
