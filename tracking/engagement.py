"""The time really spent on a page: kept on the event of its view, as milliseconds.

Who measures it tells the sum so far again and again (`page_engaged`, with `page_view_id`, the
message id of the view, and `engaged_ms`). The largest counts, so nothing is counted
twice, and what is lost on the way costs no more than the last stretch. It may come
before the view itself does.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db import connection

from tracking.events import PAGE_VIEWS
from tracking.models import LONGEST_ID, Verdict
from tracking.visitors import Seen

KIND = "page_engaged"
MOST_MS = 4 * 3600 * 1000  # nobody reads one page for longer
SLACK_MS = 10_000  # between the clocks of two messages
AWAITED_DAYS = 30  # so long a view may be under way


class Report(NamedTuple):
    """What was told about the view with this message id: `engaged_ms` until `told_at`."""

    source_id: int
    message_id: str
    anonymous_id: str
    engaged_ms: int
    told_at: datetime

    @property
    def view(self) -> tuple[int, str, str]:
        return self[:3]


def keep_longest(events: Iterable[Seen]) -> None:
    """Note the time that these events tell of on the views it was spent on.

    What machines tell counts on their own views only. Must run in the transaction that
    attaches them.
    """
    events = list(events)
    views = [event.id for event in events if event.kind in PAGE_VIEWS]
    told = _longest([*_reports(events, is_machine=False), *_awaited(views)])
    if told:
        found = _credit(told.values())
        _await([report for view, report in told.items() if view not in found])
    by_machines = _longest(_reports(events, is_machine=True))
    if by_machines:
        _credit(by_machines.values(), Verdict.MACHINE)


def _reports(events: list[Seen], *, is_machine: bool) -> list[Report]:
    wanted = (event for event in events if event.is_machine == is_machine)
    return [report for event in wanted if (report := read_report(event))]


def read_report(event: Seen) -> Report | None:
    """What a `page_engaged` says; None for any other event, and for one that says nothing."""
    if event.kind != KIND:
        return None
    view_id, spent = event.properties.get("page_view_id"), event.properties.get("engaged_ms")
    if not isinstance(spent, int | float) or isinstance(spent, bool):
        return None
    if not isinstance(view_id, str) or not 0 < len(view_id) <= LONGEST_ID:
        return None
    spent = int(min(max(spent, 0), MOST_MS))
    return Report(event.source_id, view_id, event.anonymous_id, spent, event.occurred_at)


def _longest(reports: Iterable[Report]) -> dict[tuple[int, str, str], Report]:
    longest: dict[tuple[int, str, str], Report] = {}
    for report in reports:
        known = longest.get(report.view)
        if known is None or known.engaged_ms < report.engaged_ms:
            longest[report.view] = report
    return longest


def _columns(reports: Iterable[Report]) -> list[list]:
    return [list(column) for column in zip(*sorted(reports), strict=True)]


# Only the browser that saw the page may say how long, and never longer than it can have been.
_CREDIT = """
UPDATE tracking_event page
   SET engaged_ms = greatest(page.engaged_ms, least(told.ms, %s + greatest(0,
         (date_part('epoch', told.at - page.occurred_at) * 1000)::bigint))::integer)
  FROM unnest(%s::integer[], %s::text[], %s::text[], %s::integer[], %s::timestamptz[])
       AS told(source_id, message_id, anonymous_id, ms, at)
 WHERE page.source_id = told.source_id AND page.message_id = told.message_id
   AND page.anonymous_id = told.anonymous_id AND page.kind = ANY(%s) AND page.verdict >= %s
RETURNING page.source_id, page.message_id, page.anonymous_id
"""


def _credit(
    reports: Iterable[Report], verdict: Verdict = Verdict.HUMAN
) -> set[tuple[int, str, str]]:
    """Note it on the views with this verdict or a worse one; returns which were there."""
    with connection.cursor() as cursor:
        cursor.execute(_CREDIT, [SLACK_MS, *_columns(reports), list(PAGE_VIEWS), int(verdict)])
        return set(cursor.fetchall())


_TAKE = """
DELETE FROM tracking_awaitedpage a USING tracking_event e
 WHERE e.id = ANY(%s) AND a.source_id = e.source_id AND a.message_id = e.message_id
   AND a.anonymous_id = e.anonymous_id
RETURNING a.source_id, a.message_id, a.anonymous_id, a.engaged_ms, a.told_at
"""


def _awaited(view_ids: list[int]) -> list[Report]:
    """What was told about these views before they came."""
    if not view_ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [view_ids])
        return [Report(*row) for row in cursor.fetchall()]


_AWAIT = """
INSERT INTO tracking_awaitedpage AS mine
            (source_id, message_id, anonymous_id, engaged_ms, told_at)
SELECT * FROM unnest(%s::integer[], %s::text[], %s::text[], %s::integer[], %s::timestamptz[])
ON CONFLICT (source_id, message_id, anonymous_id) DO UPDATE SET
  engaged_ms = greatest(mine.engaged_ms, excluded.engaged_ms),
  told_at = greatest(mine.told_at, excluded.told_at)
"""


def _await(reports: list[Report]) -> None:
    if not reports:
        return
    with connection.cursor() as cursor:
        cursor.execute(_AWAIT, _columns(reports))
        cursor.execute(
            "DELETE FROM tracking_awaitedpage WHERE created_at < now() - make_interval(days => %s)",
            [AWAITED_DAYS],
        )
