"""The books of ingest, to the unit: what every source sent each day and what became of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Sum
from django.utils.timezone import localdate

from tracking.inspection import sentence_of
from tracking.models import IngestCount, Source, TurnedAway
from tracking.queries import Outcome, Tally
from tracking.steps import STEP_OF, STEPS, Reason, Step

PERIODS = (7, 30, 90)  # days


@dataclass(frozen=True)
class Line:
    """One source on one day (of the reporting time zone)."""

    day: date
    source: Source
    tally: Tally

    @property
    def difference(self) -> int:
        """Messages whose fate nobody knows. Anything but 0 is a bug."""
        tally = self.tally
        known = tally.accepted + tally.duplicate + tally.rejected_count + tally.quarantined
        return tally.received - known


@dataclass
class StepLine:
    """A step of ingest: how many messages came to it, and why it dropped some."""

    step: Step
    came: int
    dropped: list[tuple[str, str, int]]  # reason, sentence, count

    @property
    def passed(self) -> int:
        return self.came - sum(count for _reason, _sentence, count in self.dropped)


@dataclass
class Books:
    """All that came in a period."""

    lines: list[Line] = field(default_factory=list)
    total: Tally = field(default_factory=Tally)
    # (day, source or None, reason, requests), newest first: no part of "received".
    turned_away: list[TurnedAway] = field(default_factory=list)
    steps: list[StepLine] = field(default_factory=list)


def books(days: int) -> Books:
    """The books of the last `days` days, today included; newest day first."""
    since = localdate(timezone=ZoneInfo(settings.REPORTING_TIME_ZONE)) - timedelta(days=days - 1)
    found = Books()
    tallies: dict[tuple[date, int], Tally] = {}
    sources = {source.pk: source for source in Source.objects.all()}
    counts = IngestCount.objects.filter(day__gte=since).order_by("-day", "source__name", "reason")
    for count in counts:
        tally = tallies.setdefault((count.day, count.source_id), Tally())
        for each in (tally, found.total):
            each.add(count.outcome, count.reason, count.count)
    found.lines = [
        Line(day, sources[source_id], tally) for (day, source_id), tally in tallies.items()
    ]
    away = TurnedAway.objects.filter(day__gte=since).select_related("source")
    found.turned_away = list(away.order_by("-day", "reason", "source__name"))
    found.steps = steps_of(found.total.received, found.total.rejected)
    return found


def steps_of(received: int, rejected: dict[str, int]) -> list[StepLine]:
    """How far messages came. Reasons that no step knows (of an older version) go to the first."""
    lines, came = [], received
    for step in STEPS:
        dropped = [
            (reason, sentence_of(reason), count)
            for reason, count in sorted(rejected.items())
            if STEP_OF.get(reason, STEPS[0].name) == step.name and count  # type: ignore[call-overload]
        ]
        lines.append(StepLine(step, came, dropped))
        came = lines[-1].passed
    return lines


def totals() -> Counter[str]:
    """Rejected messages of all time by reason, zero for those that never happened."""
    counted = IngestCount.objects.filter(outcome=Outcome.REJECTED).values_list("reason")
    found = Counter(dict.fromkeys(Reason.values, 0))
    found.update(dict(counted.annotate(n=Sum("count"))))
    return found
