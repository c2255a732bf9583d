"""What the pages about sources read."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.timezone import localdate

from tracking.history import title_of
from tracking.models import (
    Event,
    IngestCount,
    PendingEvent,
    QuarantinedMessage,
    Source,
    Verdict,
    WriteKey,
)
from tracking.touchpoints import BUILT_IN

SHOWN_DAYS = 14
SHOWN_EVENTS = 25
Outcome = IngestCount.Outcome


@dataclass
class Tally:
    """Messages of one source in a period: how many were received, and what became of them."""

    received: int = 0
    accepted: int = 0
    duplicate: int = 0
    quarantined: int = 0
    rejected: dict[str, int] = field(default_factory=dict)  # by reason

    @property
    def rejected_count(self) -> int:
        return sum(self.rejected.values())

    @property
    def is_balanced(self) -> bool:
        parts = self.accepted + self.duplicate + self.rejected_count + self.quarantined
        return parts == self.received

    def add(self, outcome: str, reason: str, count: int) -> None:
        if outcome == Outcome.REJECTED:
            self.rejected[reason] = self.rejected.get(reason, 0) + count
        else:
            setattr(self, outcome, getattr(self, outcome) + count)


@dataclass
class SourceOverview:
    """A source with its keys and the last SHOWN_DAYS days, newest first."""

    source: Source
    keys: list[WriteKey] = field(default_factory=list)
    is_built_in: bool = False  # the product fills it, nobody sends with a key
    days: dict[date, Tally] = field(default_factory=dict)
    total: Tally = field(default_factory=Tally)

    @property
    def public_key(self) -> str:
        """A key for the snippets; empty when the source has no public one in force."""
        usable = (key.key for key in self.keys if key.key and key.revoked_at is None)
        return next(usable, "")


@dataclass(frozen=True)
class RecentEvent:
    event: Event
    title: str
    verdict: str


def senders() -> QuerySet[Source]:
    """Sources that send with keys: all but those that the product fills itself."""
    has_keys = Exists(WriteKey.objects.filter(source=OuterRef("pk")))
    return Source.objects.filter(~Q(name__in=BUILT_IN) | has_keys)


def overview() -> list[SourceOverview]:
    """Every source, with what it sent in the last SHOWN_DAYS days of the reporting time zone."""
    keys: dict[int, list[WriteKey]] = defaultdict(list)
    for key in WriteKey.objects.order_by("revoked_at", "created_at"):
        keys[key.source_id].append(key)
    overviews = {
        source.pk: SourceOverview(
            source, keys[source.pk], source.name in BUILT_IN and not keys[source.pk]
        )
        for source in Source.objects.all()
    }
    today = localdate(timezone=ZoneInfo(settings.REPORTING_TIME_ZONE))
    counts = IngestCount.objects.filter(day__gt=today - timedelta(days=SHOWN_DAYS))
    for count in counts.order_by("-day"):
        mine = overviews[count.source_id]
        tally = mine.days.setdefault(count.day, Tally())
        for each in (tally, mine.total):
            each.add(count.outcome, count.reason, count.count)
    return list(overviews.values())


def recent_events(user) -> list[RecentEvent]:
    """The newest events of all sources, whether they belong to a lead yet or not."""
    seen = Event.objects.visible_to_marketing(user).select_related("source", "lead")
    return [
        RecentEvent(event, title_of(event), str(Verdict(event.verdict).label))
        for event in seen.order_by("-pk")[:SHOWN_EVENTS]
    ]


def pending_count() -> int:
    """Events that the relay has not drawn the consequences of yet."""
    return PendingEvent.objects.count()


def quarantined_count() -> int:
    """Messages that wait for somebody to look at them."""
    return QuarantinedMessage.objects.filter(replayed_at=None).count()
