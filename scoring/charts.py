"""Pictures as plain coordinates; templates/scoring/_paired_bars.html draws them as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 600, 180
MOST_LABELS = 10


@dataclass(frozen=True)
class Bar:
    """A pair of bars, before and after, with the label below; "" where there is no room."""

    x: float
    width: float
    before_y: float
    before_height: float
    after_y: float
    after_height: float
    label: str

    @property
    def after_x(self) -> float:
        return self.x + self.width

    @property
    def middle(self) -> float:
        return self.x + self.width


@dataclass(frozen=True)
class PairedBars:
    """Pairs of bars in a box of `width` × `height`; `top` is the value of the upper edge."""

    bars: list[Bar]
    top: float
    width: int = WIDTH
    height: int = HEIGHT


def paired_bars(
    labels: Sequence[str], before: Sequence[float], after: Sequence[float]
) -> PairedBars:
    """One pair per label. Bars begin at zero and share one scale."""
    top = max([*before, *after, 0]) or 1.0
    step = WIDTH / max(len(labels), 1)
    every = -(-len(labels) // MOST_LABELS) or 1
    bars = []
    for place, (label, one, other) in enumerate(zip(labels, before, after, strict=True)):
        heights = [round(value / top * HEIGHT, 1) for value in (one, other)]
        bars.append(
            Bar(
                x=round(place * step + step * 0.1, 1),
                width=round(step * 0.4, 1),
                before_y=HEIGHT - heights[0],
                before_height=heights[0],
                after_y=HEIGHT - heights[1],
                after_height=heights[1],
                label=label if place % every == 0 else "",
            )
        )
    return PairedBars(bars, top)
