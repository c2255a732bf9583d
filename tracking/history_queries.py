"""A lead's events folded for its timeline: same kind on the same day is one line.

What machines did is folded to one line a day. Days are walked along the index of the lead's events,
so a page costs its days, however many events the lead has.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection

from leads.filters import day_begins_at
from leads.models import Lead
from leads.timeline import Narrowing
from tracking.events import TOUCHPOINTS
from tracking.models import Event, Verdict, Visit

_FAR_OFF = datetime(9000, 1, 1, tzinfo=UTC)
MACHINES = "machines"  # stands for all kinds of a day in a group's key
MOST_VISITS = 1_000  # through one channel, looked at for one page
LOOKED_AT = 3_000  # events, at most, for the kinds to choose from
HIDDEN = ("page_engaged",)  # the time on a page stands beside its view


@dataclass(frozen=True)
class GroupKey:
    """The address of a group: its day, kind and whether machines did it."""

    day: date
    kind: str
    is_machine: bool

    def __str__(self) -> str:
        return f"{self.day.isoformat()}~{int(self.is_machine)}~{self.kind}"

    @classmethod
    def read(cls, text: str) -> GroupKey | None:
        """None for a text that is no address."""
        day, _tilde, rest = text.partition("~")
        flag, tilde, kind = rest.partition("~")
        try:
            if not date(1900, 1, 1) < date.fromisoformat(day) < date(9000, 1, 1):
                return None
            kind = kind[:100].replace("\0", "")
            return cls(date.fromisoformat(day), kind, flag == "1") if tilde else None
        except ValueError:
            return None


@dataclass(frozen=True)
class Group:
    """Events of a day that are alike. `newest` is the last of them; `lateness` of the latest."""

    key: GroupKey
    count: int
    at: datetime
    newest_id: int
    late_count: int
    lateness: timedelta
    paths: list[str]
    engaged_ms: int


# {narrow} is a condition on e. Parameters: lead, before, zone, most, late and what {narrow} needs.
_GROUPS = f"""
WITH RECURSIVE day AS (
  (SELECT (e.occurred_at AT TIME ZONE %(zone)s)::date AS day FROM tracking_event e
    WHERE e.lead_id = %(lead)s AND e.occurred_at < %(before)s AND {{narrow}}
    ORDER BY e.occurred_at DESC LIMIT 1)
   UNION ALL
  SELECT (SELECT (e.occurred_at AT TIME ZONE %(zone)s)::date FROM tracking_event e
           WHERE e.lead_id = %(lead)s AND {{narrow}}
             AND e.occurred_at < day.day::timestamp AT TIME ZONE %(zone)s
           ORDER BY e.occurred_at DESC LIMIT 1)
    FROM day WHERE day.day IS NOT NULL)
SELECT day.day, told.kind, told.is_machine, told.n, told.at, newest.id, told.late_count,
       told.lateness, told.paths, told.engaged_ms
  FROM (SELECT day FROM day WHERE day IS NOT NULL LIMIT %(most)s) AS day
 CROSS JOIN LATERAL (
   SELECT CASE WHEN e.verdict >= {int(Verdict.MACHINE)} THEN '{MACHINES}' ELSE e.kind END AS kind,
          e.verdict >= {int(Verdict.MACHINE)} AS is_machine, count(*) AS n,
          max(e.occurred_at) AS at,
          count(*) FILTER (WHERE e.received_at > e.occurred_at + %(late)s) AS late_count,
          max(e.received_at - e.occurred_at) AS lateness,
          coalesce(sum(e.engaged_ms), 0) AS engaged_ms,
          (array_agg(DISTINCT e.path) FILTER (WHERE e.path <> ''))[1:4] AS paths
     FROM tracking_event e
    WHERE e.lead_id = %(lead)s AND {{narrow}}
      AND e.occurred_at >= day.day::timestamp AT TIME ZONE %(zone)s
      AND e.occurred_at < (day.day + 1)::timestamp AT TIME ZONE %(zone)s
    GROUP BY 1, 2) AS told
 CROSS JOIN LATERAL (
   SELECT e.id FROM tracking_event e
    WHERE e.lead_id = %(lead)s AND {{narrow}} AND e.occurred_at = told.at
      AND (e.verdict >= {int(Verdict.MACHINE)}) = told.is_machine
      AND (told.is_machine OR e.kind = told.kind)
    ORDER BY e.id DESC LIMIT 1) AS newest
 WHERE told.at < %(before)s
 ORDER BY told.at DESC, newest.id DESC LIMIT %(most)s
"""  # noqa: S608 - constants


def read_groups(
    lead: Lead, before: datetime | None, limit: int, narrowing: Narrowing, late: timedelta
) -> list[Group]:
    """The newest `limit` groups whose last event happened before that instant."""
    narrow, params = _narrow(lead, narrowing, before or _FAR_OFF)
    params |= {
        "lead": lead.pk,
        "before": before or _FAR_OFF,
        "zone": settings.REPORTING_TIME_ZONE,
        "most": limit,
        "late": late,
    }
    with connection.cursor() as cursor:
        cursor.execute(_GROUPS.format(narrow=narrow), params)
        rows = cursor.fetchall()
        return [
            Group(
                GroupKey(*key),
                count,
                at,
                newest_id,
                late_count,
                lateness,
                paths or [],
                int(engaged_ms),
            )
            for *key, count, at, newest_id, late_count, lateness, paths, engaged_ms in rows
        ]


_OF_GROUP = """
SELECT e.id FROM tracking_event e
 WHERE e.lead_id = %(lead)s AND e.occurred_at >= %(begins)s AND e.occurred_at < %(ends)s
   AND (e.verdict >= {machine}) = %(is_machine)s AND (%(is_machine)s OR e.kind = %(group)s)
   AND (e.occurred_at, e.id) < (%(before)s, %(before_id)s) AND {narrow}
 ORDER BY e.occurred_at DESC, e.id DESC LIMIT %(most)s
"""


def events_of(
    lead: Lead, key: GroupKey, narrowing: Narrowing, before: tuple[datetime, int] | None, limit: int
) -> list[Event]:
    """The events of a group, newest first, behind that place."""
    narrow, params = _narrow(lead, narrowing, day_begins_at(key.day + timedelta(days=2)))
    params |= {
        "lead": lead.pk,
        "begins": day_begins_at(key.day),
        "ends": day_begins_at(key.day + timedelta(days=1)),
        "is_machine": key.is_machine,
        "group": key.kind,
        "before": before[0] if before else day_begins_at(key.day + timedelta(days=2)),
        "before_id": before[1] if before else 0,
        "most": limit,
    }
    with connection.cursor() as cursor:
        cursor.execute(_OF_GROUP.format(narrow=narrow, machine=int(Verdict.MACHINE)), params)
        ids = [row[0] for row in cursor.fetchall()]
    return list(Event.objects.filter(pk__in=ids).order_by("-occurred_at", "-id"))


def kinds_of(lead: Lead) -> list[str]:
    """The kinds among the lead's newest events, for the filter."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT DISTINCT kind FROM (
              SELECT kind FROM tracking_event WHERE lead_id = %s
               ORDER BY occurred_at DESC LIMIT %s) AS newest ORDER BY 1
            """,
            [lead.pk, LOOKED_AT],
        )
        return [row[0] for row in cursor.fetchall() if row[0] not in HIDDEN]


def channels_of(lead: Lead) -> list[str]:
    """The channels that this lead's visits and touchpoints came through, for the filter."""
    channels = Visit.objects.filter(lead=lead).values_list("channel")
    kinds = Event.objects.filter(lead=lead, kind__in=sorted(TOUCHPOINTS)).values_list("kind")
    # One query; no kind is called like a channel.
    return sorted({TOUCHPOINTS.get(name, name) for (name,) in channels.union(kinds)})


def _narrow(
    lead: Lead, narrowing: Narrowing, before: datetime = _FAR_OFF
) -> tuple[str, dict[str, Any]]:
    """A condition on events `e`: of a kind, or on visits through a channel."""
    conditions = [f"e.kind <> '{HIDDEN[0]}'"]
    params: dict[str, Any] = {}
    if narrowing.kind:
        conditions.append("e.kind = %(kind)s")
        params["kind"] = narrowing.kind
    if narrowing.channel:
        kinds = [kind for kind, channel in TOUCHPOINTS.items() if channel == narrowing.channel]
        conditions.append("(e.kind = ANY(%(kinds)s) OR e.occurred_at <@ %(spans)s::tstzmultirange)")
        params |= {"kinds": kinds, "spans": _spans_of(lead, narrowing.channel, before)}
    return " AND ".join(conditions), params


def _spans_of(lead: Lead, channel: str, before: datetime) -> str:
    """When the lead was last on visits through this channel before that instant, as PostgreSQL
    writes it. More visits than a page can show are not needed."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(range_agg(tstzrange(started_at, ended_at, '[]')), '{}')::text
              FROM (SELECT started_at, ended_at FROM tracking_visit
                     WHERE lead_id = %s AND channel = %s AND started_at < %s
                     ORDER BY started_at DESC LIMIT %s) AS visit
            """,
            [lead.pk, channel, before, MOST_VISITS],
        )
        return cursor.fetchone()[0]
