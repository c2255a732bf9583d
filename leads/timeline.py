"""Everything that happened with a lead, newest first, from every app that knows something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads.models import AuditEntry, Consent, Lead, StageEpisode


@dataclass(frozen=True, order=True)
class Entry:
    """One line of the timeline. `icon` names a template in templates/icons/.

    A line that stands for `count` > 1 things has the address of its `group`, to be unfolded.
    """

    at: datetime
    key: str
    title: str = field(compare=False)
    detail: str = field(default="", compare=False)
    icon: str = field(default="point", compare=False)
    actor: str = field(default="", compare=False)
    is_machine: bool = field(default=False, compare=False)
    is_late: bool = field(default=False, compare=False)
    count: int = field(default=1, compare=False)
    group: str = field(default="", compare=False)


@dataclass(frozen=True)
class Narrowing:
    """Only activity of one kind, or on visits through one channel; "" is any."""

    kind: str = ""
    channel: str = ""

    def __bool__(self) -> bool:
        return bool(self.kind or self.channel)


@dataclass(frozen=True)
class Unfolded:
    """Entries of a group, newest first, and the place the next ones are behind ("" at the end)."""

    entries: list[Entry]
    after: str


class Activity(Protocol):
    """What the app that knows what people did contributes."""

    def read_entries(
        self, lead: Lead, before: datetime | None, limit: int, narrowing: Narrowing
    ) -> list[Entry]: ...

    def unfold(
        self, lead: Lead, group: str, after: str, narrowing: Narrowing
    ) -> Unfolded | None: ...

    def choices(self, lead: Lead) -> dict[str, list[tuple[str, str]]]: ...


# (lead, before, limit) -> the newest entries strictly older than `before`.
Source = Callable[[Lead, datetime | None, int], list[Entry]]
_sources: dict[str, Source] = {}
_activities: list[Activity] = []


def register_source(name: str, source: Source) -> None:
    _sources[name] = source


def register_activity(name: str, activity: Activity) -> None:
    """A source that folds what is alike and can be narrowed."""
    _activities[:] = [activity]
    register_source(
        name,
        lambda lead, before, limit: activity.read_entries(lead, before, limit, Narrowing()),
    )


def unfold(lead: Lead, group: str, after: str, narrowing: Narrowing) -> Unfolded | None:
    """What a folded line stands for; None when the address means nothing."""
    return _activities[0].unfold(lead, group, after, narrowing) if _activities else None


def choices(lead: Lead) -> dict[str, list[tuple[str, str]]]:
    """What the lead's activity can be narrowed to: (value, label) by "kind" and "channel"."""
    return _activities[0].choices(lead) if _activities else {}


def read(
    lead: Lead,
    *,
    before: datetime | None = None,
    limit: int = 50,
    only: str = "",
    narrowing: Narrowing | None = None,
) -> list[Entry]:
    """The newest `limit` entries before `before`, of all sources or of the one named `only`."""
    if narrowing and _activities:
        return _activities[0].read_entries(lead, before, limit, narrowing)
    chosen = [only] if only in _sources else list(_sources)
    entries = [entry for name in chosen for entry in _sources[name](lead, before, limit)]
    return sorted(entries, reverse=True)[:limit]


def source_names() -> list[str]:
    return list(_sources)


def _stages(lead: Lead, before: datetime | None, limit: int) -> list[Entry]:
    episodes = lead.episodes.order_by("-entered_at", "-seq")
    if before is not None:
        episodes = episodes.filter(entered_at__lt=before)
    return [
        Entry(
            at=episode.entered_at,
            key=f"stage-{episode.seq:09}",
            title=_title(episode),
            detail=episode.reason,
            icon="stairs",
            actor=episode.actor_label,
        )
        for episode in episodes.exclude(is_pass_through=True)[:limit]
    ]


def _title(episode: StageEpisode) -> str:
    """A line stands at some instant; where that is only a bound, it says so."""
    stage = episode.get_stage_display()
    if episode.is_date_unknown:
        return _("Entered %(stage)s, date unknown") % {"stage": stage}
    return _("Entered %(stage)s") % {"stage": stage}


def _edits(lead: Lead, before: datetime | None, limit: int) -> list[Entry]:
    """What colleagues corrected: which fields, not their values, which may be private."""
    entries = AuditEntry.objects.filter(object_kind="lead", object_id=lead.pk)
    if before is not None:
        entries = entries.filter(at__lt=before)
    return [
        Entry(
            at=entry.at,
            key=f"edit-{entry.pk:012}",
            title=str(_EDIT_TITLES.get(entry.verb, entry.verb)),
            detail=entry.reason or ", ".join(name.replace("_", " ") for name in entry.changes),
            icon="edit",
            actor=entry.actor_label,
        )
        for entry in entries.order_by("-at", "-pk")[:limit]
    ]


def _consents(lead: Lead, before: datetime | None, limit: int) -> list[Entry]:
    answers = lead.consents.order_by("-given_at", "-pk")
    if before is not None:
        answers = answers.filter(given_at__lt=before)
    return [
        Entry(
            at=answer.given_at,
            key=f"consent-{answer.pk:012}",
            title=_consent_title(answer),
            detail=answer.evidence,
            icon="check" if answer.is_granted else "ban",
        )
        for answer in answers[:limit]
    ]


def _consent_title(answer: Consent) -> str:
    what = {"what": answer.get_purpose_display()}
    if answer.is_granted:
        return _("Consent given: %(what)s") % what
    return _("Consent withdrawn: %(what)s") % what


_EDIT_TITLES = {
    "edited": gettext_lazy("Details edited"),
    "assigned": gettext_lazy("Given to another owner"),
    "added": gettext_lazy("Buying role noted"),
    "removed": gettext_lazy("Buying role removed"),
    "merged": gettext_lazy("Another lead merged into this one"),
    "merged_away": gettext_lazy("Merged into another lead"),
    "unmerged": gettext_lazy("A merge taken apart"),
    "told_apart": gettext_lazy("Found to be another person than somebody alike"),
    "restored": gettext_lazy("A lead of its own again"),
    "overrode_prediction": gettext_lazy("Prediction overruled"),
    "restored_prediction": gettext_lazy("Prediction back to what was learned"),
}


def register_own_sources() -> None:
    register_source("stages", _stages)
    register_source("consents", _consents)
    register_source("edits", _edits)
