"""A threshold was edited: the signal that hangs on it is looked for anew in stored events.

What was found by the old threshold and is not by the new one is no evidence any more; what the
new one finds is. Slice by slice, each event by all that is stored around it, so that the result
is what it would be had the threshold been there from the beginning.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection

from tracking.retention_models import RetentionSettings
from tracking.verdicts import behaviour
from tracking.verdicts.behaviour import Threshold
from tracking.verdicts.weighing import SIGNALS

# Signals that have a threshold; all others are found in the message itself, or in a list.
THRESHOLDED = frozenset(
    name for name, meaning in SIGNALS.items() if meaning.most or meaning.seconds
)


def find(signal: str, limit: Threshold, above: int, until: int) -> list[int]:
    """The stored events above < id <= until on which the signal is found by this threshold."""
    found = _LOOKS[signal](limit, {"above": above, "until": until})
    return [event_id for event_id in found if above < event_id <= until]


def _too_quick(limit: Threshold, ids: dict[str, int]) -> list[int]:
    return behaviour.crowded(_spans(_BROWSERS, ids), limit, anew=True)


def _all_links(limit: Threshold, ids: dict[str, int]) -> list[int]:
    spans = _spans(_LEADS, {**ids, "kinds": ["email_link_clicked"]})
    return behaviour.all_links(spans, limit, anew=True)


def _before_delivery(limit: Threshold, ids: dict[str, int]) -> list[int]:
    spans = _spans(_LEADS, {**ids, "kinds": ["email_link_clicked", "email_opened"]})
    return behaviour.before_delivery(spans, limit, anew=True)


def _no_page_beacon(limit: Threshold, ids: dict[str, int]) -> list[int]:
    """Clicks so old that views of their time may be purged keep what was found then; clicks so
    new that a view may still come are asked about again (checking.ask_again)."""
    days = RetentionSettings.current().anonymous_days
    with connection.cursor() as cursor:
        cursor.execute(_CLICKS, {**ids, "days": days, "seconds": limit.seconds})
        rows = cursor.fetchall()
    kept = [event_id for event_id, is_old, was_found in rows if is_old and was_found]
    fresh = [event_id for event_id, is_old, _was_found in rows if not is_old]
    return [*kept, *behaviour.unfollowed(fresh, limit)]


_LOOKS: dict[str, Callable[[Threshold, dict[str, int]], list[int]]] = {
    "too_quick": _too_quick,
    "all_links": _all_links,
    "before_delivery": _before_delivery,
    "no_page_beacon": _no_page_beacon,
}


def _spans(sql: str, parameters: dict) -> dict[Any, behaviour.Span]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return {who: (since, until) for who, since, until in cursor.fetchall()}


_BROWSERS = """
SELECT anonymous_id, min(occurred_at), max(occurred_at) FROM tracking_event
 WHERE id > %(above)s AND id <= %(until)s AND anonymous_id <> '' AND NOT is_trusted
 GROUP BY 1
"""
_LEADS = """
SELECT lead_id, min(occurred_at), max(occurred_at) FROM tracking_event
 WHERE id > %(above)s AND id <= %(until)s AND lead_id IS NOT NULL AND kind = ANY(%(kinds)s)
 GROUP BY 1
"""
# As when they arrive, nobody asks about clicks that are a machine's anyway.
_CLICKS = """
SELECT id, occurred_at < now() - make_interval(days => %(days)s),
       'no_page_beacon' = ANY(verdict_signals)
  FROM tracking_event
 WHERE id > %(above)s AND id <= %(until)s AND kind = 'email_link_clicked' AND lead_id IS NOT NULL
   AND (verdict < 2 OR 'no_page_beacon' = ANY(verdict_signals))
   AND received_at <= now() - make_interval(secs => %(seconds)s)
 ORDER BY id
"""
