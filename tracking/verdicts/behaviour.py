"""What gives a machine away only beside other events. SQL over stored events, by their indexes.

Each function finds what is to be found whatever the order or the batches in which the events
arrived, and leaves out what was found before, as a scanner may click ten thousand times: unless
all is looked at `anew`, by thresholds that were edited (refinding.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import connection

from tracking.events import PAGE_VIEWS
from tracking.models import VerdictSignal

Found = dict[int, str]
Span = tuple[datetime, datetime]
# An opening or click belongs to a delivery that follows at most so much later.
LATEST_DELIVERY = timedelta(hours=1)
# A website reports its page views when it did so as short ago as this.
REPORTS_WITHIN = timedelta(days=7)


class Threshold(NamedTuple):
    """How many, within how many seconds."""

    most: int
    seconds: int


def spans_of[Key](instants: Iterable[tuple[Key, datetime]]) -> dict[Key, Span]:
    """The first and last instant of each key."""
    spans: dict[Key, Span] = {}
    for key, at in instants:
        first, last = spans.get(key, (at, at))
        spans[key] = (min(first, at), max(last, at))
    return spans


def thresholds(*names: str) -> dict[str, Threshold]:
    """Those of these signals that are not switched off."""
    rows = VerdictSignal.objects.filter(name__in=names).exclude(effect=VerdictSignal.Effect.OFF)
    return {row.name: Threshold(row.most or 0, row.seconds or 0) for row in rows}


def too_quick(spans: Mapping[str, Span]) -> Found:
    """All that these visitors did while they viewed more pages than a human can.

    `spans` has the first and last instant of what is new, by anonymous id. Only what browsers
    report themselves: a server may well send a day's page views with one time.
    """
    limit = thresholds("too_quick").get("too_quick")
    return dict.fromkeys(crowded(spans, limit), "too_quick") if limit else {}


def crowded(spans: Mapping[str, Span], limit: Threshold, *, anew: bool = False) -> list[int]:
    """The ids of those events, by this threshold."""
    said = {"views": list(PAGE_VIEWS), "most": limit.most}
    return _near(_TOO_QUICK, spans, limit, anew, **said)


def in_mails(spans: Mapping[int, Span]) -> dict[str, list[int]]:
    """What was done with mails of these leads in those spans: signal → event ids."""
    limits = thresholds("all_links", "before_delivery")
    looks = {"all_links": all_links, "before_delivery": before_delivery}
    return {name: looks[name](spans, limit) for name, limit in limits.items()}


def all_links(spans: Mapping[int, Span], limit: Threshold, *, anew: bool = False) -> list[int]:
    """Clicks by which these leads followed all links of a mail at once."""
    return _near(_ALL_LINKS, spans, limit, anew, most=limit.most)


def before_delivery(
    spans: Mapping[int, Span], limit: Threshold, *, anew: bool = False
) -> list[int]:
    """What these leads did with a mail that was not there yet."""
    return _near(_BEFORE_DELIVERY, spans, limit, anew, latest=LATEST_DELIVERY)


def without_beacon(event_ids: Iterable[int]) -> list[int]:
    """Those of these clicks in mails that no browser followed, on sites that would tell."""
    limit = thresholds("no_page_beacon").get("no_page_beacon")
    return unfollowed(event_ids, limit) if limit else []


def unfollowed(event_ids: Iterable[int], limit: Threshold) -> list[int]:
    """Those clicks, by this threshold."""
    return _ids(
        _NO_BEACON,
        {
            "ids": sorted(event_ids),
            "views": list(PAGE_VIEWS),
            "span": timedelta(seconds=limit.seconds),
            "reports": REPORTS_WITHIN,
        },
    )


def note_beacons(pages: Iterable[tuple[str, datetime]]) -> None:
    """Remember the sites of these (URL, instant) of page views that browsers reported."""
    pages = list(pages)
    with connection.cursor() as cursor:
        cursor.execute(_NOTE_BEACONS, [[url for url, _at in pages], [at for _url, at in pages]])


def _near(sql: str, spans: Mapping, limit: Threshold, anew: bool, **said: object) -> list[int]:
    """What `sql` finds in these spans, and around them; also what was found before if `anew`."""
    if not spans:
        return []
    span = {"span": timedelta(seconds=limit.seconds), "anew": anew}
    return _ids(sql, {**_columns(spans), **span, **said})


def _columns(spans: Mapping) -> dict[str, Sequence]:
    return {
        "who": list(spans),
        "since": [since for since, _until in spans.values()],
        "until": [until for _since, until in spans.values()],
    }


def _ids(sql: str, parameters: dict) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return [row[0] for row in cursor.fetchall()]


# An event lies in a crowd when some span that contains it has too many page views: of all
# spans that begin before it, at an event, the fullest.
_TOO_QUICK = """
SELECT id FROM (
  SELECT id, signals, max(crowd) OVER (PARTITION BY anonymous_id ORDER BY occurred_at
                              RANGE BETWEEN %(span)s PRECEDING AND CURRENT ROW) AS crowd
    FROM (SELECT e.id, e.anonymous_id, e.occurred_at, e.verdict_signals AS signals,
                 count(*) FILTER (WHERE e.kind = ANY(%(views)s))
                   OVER (PARTITION BY e.anonymous_id ORDER BY e.occurred_at
                         RANGE BETWEEN CURRENT ROW AND %(span)s FOLLOWING) AS crowd
            FROM unnest(%(who)s::text[], %(since)s::timestamptz[], %(until)s::timestamptz[])
              AS new(who, since, until)
            JOIN tracking_event e ON e.anonymous_id = new.who AND e.anonymous_id <> ''
             AND e.occurred_at BETWEEN new.since - %(span)s AND new.until + %(span)s
             AND NOT e.is_trusted) events) crowded
 WHERE crowd > %(most)s AND (%(anew)s OR NOT 'too_quick' = ANY(signals))
"""
# What of a mail's events names the mail and the link.
_MAIL = """coalesce(e.properties->>'email_id', e.properties->>'message_id',
    e.properties->>'mail_id', e.properties->>'campaign_id', e.properties->>'campaign_name',
    e.properties->>'email_subject', e.properties->>'subject')"""
_LINK = """coalesce(e.properties->>'link_url', e.properties->>'url', e.properties->>'href',
    e.properties->>'link', e.properties->>'link_id', e.url)"""
_NEW = """unnest(%(who)s::bigint[], %(since)s::timestamptz[], %(until)s::timestamptz[])
    AS new(who, since, until)"""
# Clicks of one source, trusted or not: what a public key tells makes no other click a machine's.
# A mail that says how many links it has is clicked through when all of them were followed.
_ALL_LINKS = f"""
WITH clicks AS MATERIALIZED (
  SELECT e.id, e.lead_id, e.occurred_at, e.verdict_signals AS signals, {_MAIL} AS mail,
         {_LINK} AS link,
         e.source_id, e.is_trusted,
         CASE WHEN e.properties->>'link_count' ~ '^[0-9]{{1,4}}$'
              THEN greatest((e.properties->>'link_count')::integer, 2) END AS link_count
    FROM {_NEW}
    JOIN tracking_event e ON e.lead_id = new.who AND e.kind = 'email_link_clicked'
     AND e.occurred_at BETWEEN new.since - %(span)s AND new.until + %(span)s),
crowds AS (
  SELECT c.lead_id, c.mail, c.source_id, c.is_trusted, c.occurred_at
    FROM clicks c JOIN clicks d ON d.lead_id = c.lead_id AND d.mail = c.mail
     AND d.source_id = c.source_id AND d.is_trusted = c.is_trusted
     AND d.occurred_at BETWEEN c.occurred_at AND c.occurred_at + %(span)s
   GROUP BY c.id, c.lead_id, c.mail, c.source_id, c.is_trusted, c.occurred_at
  HAVING count(DISTINCT d.link) >= least(%(most)s, max(d.link_count)))
SELECT DISTINCT d.id FROM crowds c JOIN clicks d ON d.lead_id = c.lead_id AND d.mail = c.mail
   AND d.source_id = c.source_id AND d.is_trusted = c.is_trusted
   AND d.occurred_at BETWEEN c.occurred_at AND c.occurred_at + %(span)s
 WHERE %(anew)s OR NOT 'all_links' = ANY(d.signals)
"""  # noqa: S608 - constants
# Only a delivery counts; of a mail nobody reported delivered, the sending. What a server says was
# opened follows no delivery that only a public key tells of.
_BEFORE_DELIVERY = f"""
WITH said AS MATERIALIZED (
  SELECT e.id, e.lead_id, e.source_id, e.is_trusted, e.kind, e.occurred_at,
         e.verdict_signals AS signals,
         {_MAIL} AS mail
    FROM {_NEW}
    JOIN tracking_event e ON e.lead_id = new.who
     AND e.kind IN ('email_sent', 'email_delivered', 'email_opened', 'email_link_clicked')
     AND e.occurred_at BETWEEN new.since - interval '30 days' AND new.until + %(latest)s),
arrivals AS (
  SELECT * FROM said a WHERE kind = 'email_delivered' OR (kind = 'email_sent' AND NOT EXISTS (
    SELECT FROM said d WHERE d.kind = 'email_delivered' AND d.mail = a.mail
       AND (d.is_trusted OR NOT a.is_trusted)
       AND d.lead_id = a.lead_id AND d.source_id = a.source_id)))
SELECT DISTINCT e.id
  FROM said e JOIN arrivals a ON a.lead_id = e.lead_id AND a.mail = e.mail
   AND (a.is_trusted OR NOT e.is_trusted)
   AND a.source_id = e.source_id AND a.occurred_at > e.occurred_at - %(span)s
   AND a.occurred_at <= e.occurred_at + %(latest)s
 WHERE e.kind IN ('email_opened', 'email_link_clicked')
   AND (%(anew)s OR NOT 'before_delivery' = ANY(e.signals)) AND NOT EXISTS (
   SELECT FROM arrivals b WHERE b.lead_id = e.lead_id AND b.mail = e.mail
      AND (b.is_trusted OR NOT e.is_trusted)
      AND b.source_id = e.source_id AND b.occurred_at <= e.occurred_at - %(span)s)
"""  # noqa: S608 - constants
_HOST = "lower(substring({url} from '^https?://(?:[^/?#@]*@)?([^/?#:]+)'))"
_PATH = "coalesce(nullif(substring({url} from '^https?://[^/?#]+([^?#]*)'), ''), '/')"
# The lead's own browser may have gone anywhere on that site; one that nobody knows yet is
# taken for the lead's when it came to the very page.
_NO_BEACON = f"""
SELECT c.id
  FROM (SELECT e.id, e.lead_id, e.occurred_at, {_HOST.format(url=_LINK)} AS host,
               {_PATH.format(url=_LINK)} AS path
          FROM tracking_event e
         WHERE e.id = ANY(%(ids)s) AND e.kind = 'email_link_clicked') c
  JOIN tracking_beaconhost h ON h.host = c.host AND h.first_seen_at <= c.occurred_at
   AND h.last_seen_at >= c.occurred_at - %(reports)s
 WHERE NOT EXISTS (
         SELECT FROM tracking_event v WHERE v.lead_id = c.lead_id AND v.kind = ANY(%(views)s)
            AND v.occurred_at BETWEEN c.occurred_at - interval '1 minute'
                                  AND c.occurred_at + %(span)s
            AND {_HOST.format(url="v.url")} = c.host)
   AND NOT EXISTS (
         SELECT FROM tracking_event v
          WHERE v.occurred_at BETWEEN c.occurred_at - interval '1 minute'
                                  AND c.occurred_at + %(span)s
            AND v.kind = ANY(%(views)s) AND v.lead_id IS NULL AND NOT v.is_trusted
            AND {_HOST.format(url="v.url")} = c.host
            AND {_PATH.format(url="v.url")} = c.path)
"""  # noqa: S608 - constants
# Once an hour per site is enough to know that it reports.
_NOTE_BEACONS = f"""
INSERT INTO tracking_beaconhost AS mine (host, first_seen_at, last_seen_at)
SELECT host, min(at), max(at)
  FROM (SELECT {_HOST.format(url="url")} AS host, at
          FROM unnest(%s::text[], %s::timestamptz[]) AS page(url, at)) pages
 WHERE length(host) BETWEEN 1 AND 255 GROUP BY host ORDER BY host
ON CONFLICT (host) DO UPDATE SET
  first_seen_at = least(mine.first_seen_at, excluded.first_seen_at),
  last_seen_at = greatest(mine.last_seen_at, excluded.last_seen_at)
 WHERE excluded.last_seen_at > mine.last_seen_at + interval '1 hour'
    OR excluded.first_seen_at < mine.first_seen_at
"""  # noqa: S608 - constants
