"""Events that have just been stored are judged by all that is known, within their attaching.

Ingest said what the request gave away. Here the lists, the rules and what lies beside the
events are asked, before anything follows from them; a machine found here makes no lead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from tracking.events import MAIL_KINDS, PAGE_VIEWS
from tracking.models import Verdict
from tracking.verdicts import behaviour, checking, staff
from tracking.verdicts.restating import restate
from tracking.verdicts.settling import (
    Settled,
    has_rules_about_people,
    settle_events,
    settle_with,
)
from tracking.visitors import Seen


class Attached(Protocol):
    """What the attaching knows of an event that belongs to a lead now."""

    @property
    def id(self) -> int: ...
    @property
    def lead_id(self) -> int: ...
    @property
    def occurred_at(self) -> datetime: ...
    @property
    def kind(self) -> str: ...
    @property
    def verdict(self) -> int: ...


def judge(events: Sequence[Seen]) -> None:
    """Bring the verdicts of these events up to date, in the database and in `events`."""
    changed = settle_events(event.id for event in events)
    restate(changed)
    _take_over(events, changed)
    _take_over(events, staff.note_browsers(changed))
    quick = settle_with(
        {event_id: ["too_quick"] for event_id in behaviour.too_quick(_spans_of_browsers(events))}
    )
    restate(quick, cause="too_quick")
    _take_over(events, quick)
    behaviour.note_beacons(
        (event.url, event.occurred_at)
        for event in events
        if event.kind in PAGE_VIEWS and event.url and not event.is_trusted and not event.is_machine
    )


def follow_up(told: Sequence[Attached]) -> None:
    """After events found their leads: what shows only in all that these people did."""
    if has_rules_about_people():
        restate(settle_events(line.id for line in told), cause="person")
    mails = [line for line in told if line.kind in MAIL_KINDS]
    checking.look_at_mails((line.lead_id, line.occurred_at) for line in mails)
    checking.ask_for_beacons(
        line.id
        for line in mails
        if line.kind == "email_link_clicked" and line.verdict < Verdict.MACHINE
    )


def _take_over(events: Iterable[Seen], changed: Iterable[Settled]) -> None:
    fresh = {line.id: line.verdict for line in changed}
    for event in events:
        event.verdict = fresh.get(event.id, event.verdict)


def _spans_of_browsers(events: Iterable[Seen]) -> Mapping[str, behaviour.Span]:
    return behaviour.spans_of(
        (event.anonymous_id, event.occurred_at)
        for event in events
        if event.anonymous_id and not event.is_trusted
    )
