"""What the page “Human or machine” reads."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.db.models import Q, Sum
from django.utils.functional import Promise
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from tracking.history import title_of
from tracking.models import (
    Event,
    IngestCount,
    Verdict,
    VerdictChange,
    VerdictCheck,
    VerdictRule,
    VerdictRun,
    VerdictSignal,
)
from tracking.verdicts import ruling, running
from tracking.verdicts.checking import MOST_ATTEMPTS
from tracking.verdicts.weighing import SIGNALS, rule_in

SHOWN_DAYS = 7  # no event is purged sooner, so that all are there to be counted
SHOWN_EVENTS = 25
SHOWN_RULES = 50


@dataclass
class Day:
    """The events that were stored on a day of the reporting time zone, by verdict."""

    day: date
    raw: int = 0
    told_apart: Counter[int] = field(default_factory=Counter)

    @property
    def suspected(self) -> int:
        return self.told_apart[Verdict.SUSPECTED]

    @property
    def machine(self) -> int:
        return self.told_apart[Verdict.MACHINE]

    @property
    def staff(self) -> int:
        return self.told_apart[Verdict.STAFF]

    @property
    def human(self) -> int:
        return self.raw - self.suspected - self.machine - self.staff

    @property
    def counted(self) -> int:
        """What enters figures: humans, and those only suspected."""
        return self.human + self.suspected


@dataclass
class SignalLine:
    """A signal, what it means, and on how many events it was found each day, oldest first."""

    name: str
    label: Promise | str
    sentence: Promise | str
    effect: Promise | str
    counts: list[int]

    @property
    def total(self) -> int:
        return sum(self.counts)


@dataclass
class Overview:
    days: list[Day]
    signals: list[SignalLine]
    total: Day


@dataclass(frozen=True)
class JudgedEvent:
    """An event with its verdict in words."""

    event: Event
    title: str
    verdict: Promise | str
    reasons: list[str]

    @property
    def network(self) -> str:
        value = self.event.context.get("ip")
        return value if isinstance(value, str) else ""


def overview() -> Overview:
    """The last SHOWN_DAYS days, today included."""
    today = localdate(timezone=_zone())
    days = {
        day: Day(day)
        for day in (today - timedelta(days=ago) for ago in reversed(range(SHOWN_DAYS)))
    }
    received = IngestCount.objects.filter(
        day__gte=min(days), outcome=IngestCount.Outcome.ACCEPTED
    ).order_by("day")
    for day, count in received.values_list("day").annotate(Sum("count")):
        days[day].raw = count
    found: dict[str, Counter[date]] = defaultdict(Counter)
    for day, verdict, signals, count in _told_apart(min(days)):
        if day in days:
            days[day].told_apart[verdict] += count
            for signal in signals:
                found[signal][day] += count
    total = Day(today, sum(day.raw for day in days.values()))
    for day in days.values():
        total.told_apart.update(day.told_apart)
    return Overview(list(days.values()), _signal_lines(found, list(days)), total)


def events_with(signal: str, user) -> list[JudgedEvent]:
    """The newest events of the shown days on which this signal was found."""
    start = _start_of(localdate(timezone=_zone()) - timedelta(days=SHOWN_DAYS - 1))
    seen = Event.objects.visible_to_marketing(user).filter(
        Q(verdict__gt=0) | ~Q(verdict_signals=[]),
        verdict_signals__contains=[signal],
        received_at__gte=start,
    )
    seen = seen.select_related("source", "lead").order_by("-received_at")
    return judged(seen[:SHOWN_EVENTS])


def judged(events: Iterable[Event]) -> list[JudgedEvent]:
    """These events, with verdict and reasons in words."""
    events = list(events)
    rules = _rules_of(signal for event in events for signal in event.verdict_signals)
    return [
        JudgedEvent(
            event,
            title_of(event),
            Verdict(event.verdict).label,
            reasons(event.verdict_signals, rules),
        )
        for event in events
    ]


def history_of(event_id: int) -> list[dict]:
    """Each change of the event's verdict, oldest first, in words."""
    changes = list(VerdictChange.objects.filter(event_id=event_id).select_related("rule"))
    rules = _rules_of(signal for change in changes for signal in change.signals)
    return [
        {
            "at": change.changed_at,
            "before": Verdict(change.verdict_before).label,
            "after": Verdict(change.verdict).label,
            "reasons": reasons(change.signals, rules),
            "why": str(change.rule) if change.rule else label_of(change.cause),
        }
        for change in changes
    ]


def label_of(signal: str) -> str:
    """The name of a signal for people."""
    return str(SIGNALS[signal].label) if signal in SIGNALS else signal


def reasons(signals: Iterable[str], rules: dict[int, str]) -> list[str]:
    """Signals in words; a rule by its reason."""
    signals = list(signals)
    rule_id = rule_in(signals)
    said = [label_of(signal) for signal in signals if not signal.startswith("rule:")]
    if rule_id:
        said.insert(0, _("Rule: %(reason)s") % {"reason": rules.get(rule_id, rule_id)})
    return said


def rules_in_words() -> list[dict]:
    """Rules in force first, then the newest that were taken back."""
    rules = VerdictRule.objects.select_related("source").order_by("ended_at", "-id")
    names = {field.name: field.verbose_name for field in VerdictRule._meta.get_fields()
             if hasattr(field, "verbose_name")}  # fmt: skip
    changed = dict(
        VerdictRun.objects.filter(rule__in=rules)
        .order_by("rule_id", "id")
        .distinct("rule_id")
        .values_list("rule_id", "changed_count")
    )
    in_force = sorted(rules, key=lambda rule: (rule.ended_at is not None, -rule.pk))
    return [
        {
            "rule": rule,
            "conditions": [(names[k], v) for k, v in ruling.conditions_of(rule).items()],
            "changed_count": changed.get(rule.pk, 0),
        }
        for rule in in_force[:SHOWN_RULES]
    ]


def open_runs() -> list[VerdictRun]:
    """Runs going on or stopped, oldest first."""
    return list(VerdictRun.objects.filter(finished_at=None).select_related("rule").order_by("id"))


def is_stopped(run: VerdictRun) -> bool:
    return run.attempts >= running.MOST_ATTEMPTS


def failed_checks() -> int:
    """Clicks that could not be checked."""
    return VerdictCheck.objects.filter(attempts__gte=MOST_ATTEMPTS).count()


def _signal_lines(found: dict[str, Counter[date]], days: list[date]) -> list[SignalLine]:
    effects = {row.name: row.get_effect_display() for row in VerdictSignal.objects.order_by("id")}
    rules = _rules_of(found)
    lines = [
        SignalLine(
            name, meaning.label, meaning.sentence, effects.get(name, ""),
            [found[name][day] for day in days],
        )
        for name, meaning in SIGNALS.items()
        if name in effects or name in found
    ]  # fmt: skip
    for name in sorted(found.keys() - SIGNALS.keys()):
        said = reasons([name], rules)
        lines.append(SignalLine(name, said[0], "", "", [found[name][day] for day in days]))
    return lines


def _rules_of(signals: Iterable[str]) -> dict[int, str]:
    ids = {rule_id for signal in signals if (rule_id := rule_in([signal]))}
    return dict(VerdictRule.objects.filter(pk__in=ids).values_list("pk", "reason")) if ids else {}


def _told_apart(since: date) -> list[tuple[date, int, list[str], int]]:
    """Answered from the index tracking_event_told_apart alone."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT (received_at AT TIME ZONE %s)::date, verdict, verdict_signals, count(*)
              FROM tracking_event
             WHERE received_at >= %s AND (verdict > 0 OR NOT verdict_signals = '{}'::text[])
             GROUP BY 1, 2, 3
            """,
            [settings.REPORTING_TIME_ZONE, _start_of(since)],
        )
        return cursor.fetchall()


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=_zone())


def _zone() -> ZoneInfo:
    return ZoneInfo(settings.REPORTING_TIME_ZONE)
