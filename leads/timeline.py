"""Everything that happened with a lead, newest first, from every app that knows something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads.models import AuditEntry, Consent, Lead


@dataclass(frozen=True, order=True)
class Entry:
    """One line of the timeline. `icon` names a template in templates/icons/."""

    at: datetime
    key: str
    title: str = field(compare=False)
    detail: str = field(default="", compare=False)
    icon: str = field(default="point", compare=False)
    actor: str = field(default="", compare=False)
    is_machine: bool = field(default=False, compare=False)


# (lead, before, limit) -> the newest entries strictly older than `before`.
Source = Callable[[Lead, datetime | None, int], list[Entry]]
_sources: dict[str, Source] = {}


def register_source(name: str, source: Source) -> None:
    _sources[name] = source


def read(
    lead: Lead, *, before: datetime | None = None, limit: int = 50, only: str = ""
) -> list[Entry]:
    """The newest `limit` entries before `before`, of all sources or of the one named `only`."""
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
            title=_("Entered %(stage)s") % {"stage": episode.get_stage_display()},
            detail=episode.reason,
            icon="stairs",
            actor=episode.actor_label,
        )
        for episode in episodes.exclude(is_pass_through=True)[:limit]
    ]


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
    "restored": gettext_lazy("A lead of its own again"),
}


def register_own_sources() -> None:
    register_source("stages", _stages)
    register_source("consents", _consents)
    register_source("edits", _edits)
