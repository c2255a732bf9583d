"""Everything that happened with a lead, newest first, from every app that knows something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext as _

from leads.models import Lead


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


def register_own_sources() -> None:
    register_source("stages", _stages)
