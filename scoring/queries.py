"""What the pages of the score show. Reads only."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Max

from leads.models import Lead
from scoring import publishing, terms
from scoring.models import FailedLead, ModelVersion, Publication, Rule, Signal
from scoring.vocabulary import Axis
from scoring.wording import describe_rule


@dataclass(frozen=True)
class RuleInWords:
    """A rule of the agreement as people read it."""

    rule: Rule
    sentence: str


@dataclass(frozen=True)
class GroupOfRules:
    """Rules that share a cap (None: they share nothing)."""

    name: str
    cap: Decimal | None
    rules: tuple[RuleInWords, ...]


@dataclass(frozen=True)
class Agreement:
    """A model version for the scoring page. `axes`: (label, groups)."""

    version: ModelVersion
    axes: tuple[tuple[str, tuple[GroupOfRules, ...]], ...]


def agreement(version: ModelVersion) -> Agreement:
    """A version's rules in plain sentences, by axis and group: two queries."""
    caps = {(cap.axis, cap.group): cap.cap for cap in version.caps.all()}
    rules = list(version.rules.select_related("signal"))
    axes = []
    for axis in Axis:
        groups: dict[str, list[RuleInWords]] = defaultdict(list)
        for rule in rules:
            if rule.signal.axis == axis:
                groups[rule.group].append(RuleInWords(rule, describe_rule(rule)))
        found = tuple(
            GroupOfRules(name, caps.get((axis, name)), tuple(groups[name]))
            for name in sorted(groups, key=lambda name: (name == "", name))
        )
        axes.append((str(axis.label), found))
    return Agreement(version, tuple(axes))


@dataclass(frozen=True)
class Draft:
    version: ModelVersion
    changes: list[terms.Change]


def drafts() -> list[Draft]:
    """Versions that are not in force yet, newest first, with what they change."""
    State = ModelVersion.State
    waiting = ModelVersion.objects.filter(
        state__in=[State.DRAFT, State.IN_REVIEW, State.SIGNED]
    ).select_related("based_on", "model")
    return [Draft(version, terms.changes_of(version)) for version in waiting]


@dataclass(frozen=True)
class Progress:
    """How far work on all leads is: `done`, 0..1, of counting new signals."""

    publication: Publication | None
    counting: Signal | None
    done: float


def progress() -> Progress | None:
    """The publication or the counting of a new signal under way; None when all is quiet."""
    publication = publishing.running().first()
    counting = Signal.objects.filter(counted_at=None).order_by("ordinal").first()
    if publication is None and counting is None:
        return None
    newest = Lead.objects.aggregate(newest=Max("pk"))["newest"] or 0
    done = counting.counted_to_lead_id / newest if counting and newest else 1.0
    return Progress(publication, counting, done)


def past_versions() -> list[ModelVersion]:
    retired = ModelVersion.objects.filter(state=ModelVersion.State.RETIRED)
    return list(retired.select_related("published_by")[:20])


def failed_count() -> int:
    return FailedLead.objects.count()
