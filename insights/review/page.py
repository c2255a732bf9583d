"""A stored review as its page shows it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from insights.review_models import Review
from scoring import charts
from scoring.models import Signal

NO_DRIFT, MUCH_DRIFT = 0.1, 0.25


@dataclass(frozen=True)
class CarriedRow:
    """A rule's share in rejected and in accepted hand-offs, per cent."""

    label: str
    rejected: int
    accepted: int
    rejected_share: float
    accepted_share: float
    verdict: str
    difference: dict[str, float] | None
    reasons: list[tuple[str, int]]


@dataclass(frozen=True)
class Pair:
    one: str
    other: str
    held: tuple[int, int]
    both: int
    percent: float
    correlation: float | None


_STAYS = {
    "blocks": gettext_lazy("it blocks; points are beside the point"),
    "too_few": gettext_lazy("it held for too few leads"),
    "unclear": gettext_lazy("could as well be nothing"),
}


@dataclass(frozen=True)
class Suggested:
    """`suggested` None: the weight stays, because of `why`."""

    label: str
    points: float
    suggested: int | None
    low: float
    high: float
    why: str
    won_share: float
    not_won_share: float

    @property
    def is_changed(self) -> bool:
        return self.suggested is not None and self.suggested != self.points

    @property
    def reason(self) -> str:
        """Why it stays, or what the outcomes say of it, in words."""
        if self.suggested is None:
            return str(_STAYS[self.why])
        is_raised = self.suggested > self.points
        if self.won_share > self.not_won_share:
            if self.suggested < 0:
                return _("more common among customers, but the other rules told of that already")
            if is_raised or not self.is_changed:
                return _("more common among customers")
            return _("more common among customers, but by less than its points say")
        if self.suggested > 0:
            return _("more common among leads not won, but not when the other rules are equal")
        if is_raised:
            return _("more common among leads not won, but by less than its points say")
        return _("more common among leads not won")


@dataclass(frozen=True)
class Firing:
    """For how many of a hundred newcomers a rule held, when signed and now."""

    label: str
    then: float
    now: float


class Page:
    """Everything the page shows of one review."""

    def __init__(self, review: Review) -> None:
        self.review = review
        self.result: dict[str, Any] = review.result
        self.labels = {signal.pk: signal.words for signal in Signal.objects.all()}

    def _label(self, signal_id: int) -> str:
        return self.labels.get(signal_id, "–")

    @property
    def carried(self) -> list[CarriedRow]:
        """Rules that tell rejected from accepted most, first."""
        said = self.result["rejections"]
        rows = [
            CarriedRow(
                label=self._label(rule["signal"]),
                rejected=rule["rejected"],
                accepted=rule["accepted"],
                rejected_share=_percent(rule["rejected"], said["rejected"]),
                accepted_share=_percent(rule["accepted"], said["accepted"]),
                verdict=rule["verdict"],
                difference=_times_hundred(rule["difference"]),
                reasons=[(label, count) for label, count in rule["reasons"]],
            )
            for rule in said["rules"]
            if rule["rejected"] or rule["accepted"]
        ]
        return sorted(rows, key=lambda row: (row.accepted_share - row.rejected_share, row.label))

    @property
    def silent(self) -> list[str]:
        held = self.result["held"]
        return sorted(self._label(int(pk)) for pk, leads in held.items() if not leads)

    @property
    def pairs(self) -> list[Pair]:
        return [
            Pair(
                one=self._label(pair["signals"][0]),
                other=self._label(pair["signals"][1]),
                held=(pair["held"][0], pair["held"][1]),
                both=pair["both"],
                percent=100 * pair["jaccard"],
                correlation=pair["correlation"],
            )
            for pair in self.result["duplicates"]
        ]

    @property
    def suggestion(self) -> dict[str, Any]:
        return self.result["suggestion"]

    @property
    def suggested(self) -> list[Suggested]:
        """What would change most, first."""
        said = self.suggestion
        lost = said["outcomes"] - said["won"]
        rows = [
            Suggested(
                label=self._label(rule["signal"]),
                points=rule["points"],
                suggested=rule["suggested"],
                low=rule["low"],
                high=rule["high"],
                why=rule["why"],
                won_share=_percent(rule["held_won"], said["won"]),
                not_won_share=_percent(rule["held_not_won"], lost),
            )
            for rule in said.get("rules", ())
        ]
        return sorted(rows, key=lambda row: (not row.is_changed, -abs(_change(row)), row.label))

    @property
    def points(self) -> dict[int, Decimal]:
        """The suggested points by signal, to be put into a draft: those that differ."""
        return {
            rule["signal"]: Decimal(rule["suggested"])
            for rule in self.suggestion.get("rules", ())
            if rule["suggested"] is not None and rule["suggested"] != rule["points"]
        }

    @property
    def helps(self) -> bool:
        """Whether the suggested weights rank the held-out leads better beyond chance."""
        difference = self.suggestion.get("hold_out", {}).get("difference")
        return bool(difference and difference["low"] > 0)

    @property
    def harms(self) -> bool:
        difference = self.suggestion.get("hold_out", {}).get("difference")
        return bool(difference and difference["high"] < 0)

    @property
    def drift(self) -> dict[str, Any]:
        return self.result["drift"]

    @property
    def drift_verdict(self) -> str:
        stability = self.drift.get("stability")
        if stability is None:
            return ""
        return "none" if stability < NO_DRIFT else "some" if stability < MUCH_DRIFT else "much"

    @property
    def drift_chart(self) -> charts.PairedBars | None:
        if "histograms" not in self.drift:
            return None
        labels = [f"{edge:.0f}" for edge in self.drift["edges"][:-1]]
        # Shares: the two groups of leads differ in size.
        shares = [[n / sum(counts) for n in counts] for counts in self.drift["histograms"]]
        return charts.paired_bars(labels, *shares)

    @property
    def drift_bins(self) -> list[tuple[float, float, int, int]]:
        edges = self.drift["edges"]
        return list(zip(edges, edges[1:], *self.drift["histograms"], strict=False))

    @property
    def firing(self) -> list[Firing]:
        """Rules that clearly hold more or less often than when the version was signed."""
        rows = [
            Firing(self._label(rule["signal"]), 100 * rule["then"], 100 * rule["now"])
            for rule in self.drift.get("rules", ())
            if rule["is_clear"]
        ]
        return sorted(rows, key=lambda row: -abs(row.now - row.then))

    @property
    def acceptance(self) -> list[float | None]:
        """Accepted of a hundred decided, before the signing and lately; None without any."""
        said = self.result["acceptance"]
        pairs = (said["then"], said["now"])
        return [100 * part / whole if whole else None for part, whole in pairs]


def _change(row: Suggested) -> float:
    return row.suggested - row.points if row.suggested is not None else 0.0


def _percent(part: int, whole: int) -> float:
    return 100 * part / whole if whole else 0.0


def _times_hundred(interval: dict[str, float] | None) -> dict[str, float] | None:
    return {name: 100 * value for name, value in interval.items()} if interval else None


def newest(model_id: int) -> Review | None:
    """The newest review of a model, of whatever version; None before the first."""
    return Review.objects.select_related("version").filter(version__model=model_id).first()
