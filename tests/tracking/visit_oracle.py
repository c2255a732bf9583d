"""An independent, slow opinion on which visits events make: every pair of events is looked at."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit

MAILS_AND_MEETINGS = ("email_", "meeting_", "call_", "event_", "webinar_", "review_", "referral_")


@dataclass(frozen=True)
class Told:
    """What somebody sent. `order` decides between two of the same instant."""

    who: str
    at: datetime
    order: tuple
    kind: str
    url: str
    is_machine: bool


def visits(events: list[Told]) -> set[tuple]:
    """(who, machine, first, last, events, page views, landing path, utm source) of each visit."""
    found = set()
    for key in {(e.who, e.is_machine) for e in events}:
        mine = [e for e in events if (e.who, e.is_machine) == key]
        mine = [e for e in mine if not e.kind.startswith(MAILS_AND_MEETINGS)]
        groups: list[list[Told]] = []
        for event in sorted(mine, key=lambda e: (e.at, e.order)):
            if groups and not _is_new(groups[-1], event):
                groups[-1].append(event)
            else:
                groups.append([event])
        found |= {(*key, *_describe(group)) for group in groups}
    return found


def _is_new(group: list[Told], event: Told) -> bool:
    if event.at - max(e.at for e in group) > timedelta(minutes=30):
        return True
    addressed = [e for e in group if e.url]
    return bool(addressed and _campaign(event) and _campaign(event) != _campaign(addressed[0]))


def _campaign(event: Told) -> tuple:
    said = parse_qs(urlsplit(event.url).query)
    marks = tuple(said.get(f"utm_{part}", [""])[0] for part in ("source", "medium", "campaign"))
    marks += tuple(name for name in ("gclid",) if name in said)
    return marks if any(marks) else ()


def _describe(group: list[Told]) -> tuple:
    paths = [urlsplit(e.url).path for e in group if e.url and urlsplit(e.url).path]
    addressed = next((e for e in group if e.url), None)
    utm = _campaign(addressed) if addressed else ()
    return (
        min(e.at for e in group),
        max(e.at for e in group),
        len(group),
        sum(e.kind == "page_viewed" for e in group),
        paths[0] if paths else "",
        utm[0] if utm else "",
    )
