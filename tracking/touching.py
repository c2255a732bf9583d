"""First and last touch of visitors and leads, restated when visits or channel rules change."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from django.db import connection

from leads import touches
from tracking.events import TOUCHPOINTS
from tracking.models import Verdict


class Restated(NamedTuple):
    """A visitor whose first touch is another one than was written down."""

    visitor_id: int
    before: tuple[str, str, str, str]
    after: tuple[str, str, str, str]


# The first human visit of each visitor that says something else than the visitor does.
_FIRST_VISITS = """
WITH first AS (
  SELECT DISTINCT ON (anonymous_id) anonymous_id, started_at, channel, source, medium, campaign,
         landing_path
    FROM tracking_visit WHERE NOT is_machine {some}
   ORDER BY anonymous_id, started_at, id)
UPDATE tracking_visitor v
   SET channel = f.channel, source = f.source, medium = f.medium, campaign = f.campaign,
       landing_path = f.landing_path, first_seen_at = least(v.first_seen_at, f.started_at)
  FROM first f, tracking_visitor old
 WHERE v.anonymous_id = f.anonymous_id AND old.id = v.id
   AND (v.channel, v.source, v.medium, v.campaign, v.landing_path)
       IS DISTINCT FROM (f.channel, f.source, f.medium, f.campaign, f.landing_path)
RETURNING v.id, old.channel, old.source, old.medium, old.campaign,
          v.channel, v.source, v.medium, v.campaign
"""
# The lead that the visitor introduced itself as, first of all, if the visits before are its own.
_FIRST_LEADS = """
SELECT visitor_id, lead_id FROM (
  SELECT DISTINCT ON (visitor_id) visitor_id, lead_id, reaches_back FROM tracking_visitorlink
   WHERE visitor_id = ANY(%s) ORDER BY visitor_id, started_at, id) first WHERE reaches_back
"""
_CASES = " ".join(f"WHEN '{kind}' THEN '{channel}'" for kind, channel in TOUCHPOINTS.items())
_OFFLINE = ", ".join(f"'{kind}'" for kind in TOUCHPOINTS)
_ALL_TOUCHES = f"""
WITH touch AS (
  SELECT lead_id, started_at AS at, channel, source, medium, campaign, landing_path
    FROM tracking_visit WHERE lead_id = ANY(%(leads)s) AND NOT is_machine
   UNION ALL
  SELECT lead_id, occurred_at, CASE kind {_CASES} END,
         left(coalesce(properties ->> 'source', properties ->> 'site', ''), 100), 'offline',
         left(coalesce(properties ->> 'event_name', properties ->> 'title', ''), 200), ''
    FROM tracking_event
   WHERE lead_id = ANY(%(leads)s) AND kind IN ({_OFFLINE}) AND verdict < {int(Verdict.MACHINE)}),
first AS (
  SELECT DISTINCT ON (lead_id) * FROM touch
   ORDER BY lead_id, at, channel, source, medium, campaign, landing_path),
last AS (
  SELECT DISTINCT ON (lead_id) * FROM touch
   ORDER BY lead_id, (channel = 'direct'), at DESC, channel, source, medium, campaign, landing_path)
SELECT lead_id, f.at, f.channel, f.source, f.medium, f.campaign, f.landing_path,
       l.at, l.channel, l.source, l.medium, l.campaign, l.landing_path
  FROM first f JOIN last l USING (lead_id)
"""  # noqa: S608 - constants


def restate_first_touches(anonymous_ids: Iterable[str]) -> None:
    """Visitors take over the touch of their first visit, and so do the leads they became."""
    some = list(anonymous_ids)
    if some:
        _restate("AND anonymous_id = ANY(%s)", [some])


def refresh(lead_ids: Iterable[int]) -> None:
    """Write first and last touch of these leads anew."""
    wanted = sorted(set(lead_ids))
    if not wanted:
        return
    with connection.cursor() as cursor:
        cursor.execute(_ALL_TOUCHES, {"leads": wanted})
        rows = cursor.fetchall()
    touches.save_touches(wanted, rows)


def restate_all() -> None:
    """For a rebuild: every visitor and every lead."""
    _restate("", [])
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT lead_id FROM tracking_visit WHERE lead_id IS NOT NULL
             UNION SELECT lead_id FROM tracking_event
                    WHERE lead_id IS NOT NULL AND kind IN ({_OFFLINE})
             UNION SELECT lead_id FROM leads_leadtouch ORDER BY 1
            """  # noqa: S608 - constants
        )
        leads = [row[0] for row in cursor.fetchall()]
    for start in range(0, len(leads), 5000):
        refresh(leads[start : start + 5000])


def _restate(some: str, params: list) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_FIRST_VISITS.format(some=some), params)
        changed = [Restated(row[0], row[1:5], row[5:9]) for row in cursor.fetchall()]
        cursor.execute(_FIRST_LEADS, [[change.visitor_id for change in changed]])
        lead_of = dict(cursor.fetchall())
    changes = [
        touches.Origin(lead_of[change.visitor_id], change.before, change.after)
        for change in changed
        if change.visitor_id in lead_of and change.before != change.after
    ]
    touches.restate_origins(changes)
