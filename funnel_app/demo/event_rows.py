"""What was tracked, as rows: visitors, events, and which visitor became which lead.

Events wait in a temporary table and are published in order of time, as they would
have arrived: BRIN indexes and whoever reads a month are grateful.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from random import Random
from urllib.parse import urlencode

from django.conf import settings
from django.db import connection

from funnel_app.demo.company import SITE
from funnel_app.demo.copying import Copier, Table
from funnel_app.demo.happenings import MAIL, OFFLINE, Happening
from funnel_app.demo.market import Origin
from funnel_app.demo.staff import Staff
from funnel_app.demo.story import LeadStory
from funnel_app.demo.visitors import Stranger
from leads.channels import Channel
from tracking.events import FORM_KINDS, NOT_ACTIVITY, PAGE_VIEWS
from tracking.models import IngestCount, Verdict

_COLUMNS = (
    "source_id", "message_id", "kind", "name", "occurred_at", "sent_at", "received_at",
    "anonymous_id", "lead_id", "url", "path", "referrer", "title", "user_agent", "properties",
    "context", "is_trusted", "verdict", "verdict_signals",
)  # fmt: skip
# Columns without a default in the database that every event of ours leaves empty.
_EMPTY = {"user_id": "''"}
EVENT = Table("demo_event", _COLUMNS)
LINK = Table("demo_link", ("anonymous_id", "lead_id", "source_id", "message_id", "reason", "at"))
VISITOR = Table(
    "tracking_visitor",
    ("anonymous_id", "lead_id", "first_seen_at", "last_seen_at", "channel", "source", "medium",
     "campaign", "landing_path"),
)  # fmt: skip
TABLES = (VISITOR, EVENT, LINK)

BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/126.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/17.5 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:127.0) Gecko/20100101 Firefox/127.0",
)
_REFERRERS = {"google": "https://www.google.com/", "bing": "https://www.bing.com/"}


class EventRows:
    """Writes events and visitors of leads and of strangers."""

    def __init__(self, copier: Copier, staff: Staff) -> None:
        self.copier = copier
        self.web, self.mail, self.sales = (
            staff.sources[key].pk for key in ("web", "mail", "sales")
        )

    def add_lead(self, lead_id: int, story: LeadStory) -> None:
        person = story.person
        devices = [_device_id(person.public_id, n) for n in range(3)]
        browser = BROWSERS[person.number % len(BROWSERS)]
        first = next((n for n, h in enumerate(story.happenings) if h.device >= 0), -1)
        for nth, happening in enumerate(story.happenings):
            anonymous = devices[happening.device] if happening.device >= 0 else ""
            message = f"demo-{person.number}-{nth}"
            agent = browser if anonymous else ""
            came_by = _came_by(happening, person.origin, is_first=nth == first)
            self._event(happening, message, anonymous, lead_id, came_by, agent)
        self._recognise(lead_id, story, devices)

    def add_stranger(self, stranger: Stranger) -> None:
        anonymous = str(uuid.UUID(int=Random(-stranger.number - 1).getrandbits(128), version=4))  # noqa: S311
        agent = stranger.crawler or BROWSERS[stranger.number % len(BROWSERS)]
        for nth, happening in enumerate(stranger.happenings):
            message = f"demo-visitor-{stranger.number}-{nth}"
            came_by = _came_by(happening, stranger.origin, is_first=nth == 0)
            self._event(happening, message, anonymous, None, came_by, agent)
        if seen := [h for h in stranger.happenings if h.verdict < Verdict.MACHINE]:
            self._visitor(anonymous, None, seen, stranger.origin)

    def _event(
        self,
        happening: Happening,
        message: str,
        anonymous: str,
        lead_id: int | None,
        came_by: Origin | None,
        agent: str,
    ) -> None:
        at, kind = happening.at, happening.kind
        self.copier.add(
            EVENT,
            (
                self._source(happening.device),
                message,
                kind,
                happening.title if kind in PAGE_VIEWS else kind.replace("_", " ").title(),
                at,
                at,
                at + timedelta(milliseconds=300 + at.microsecond % 700),
                anonymous,
                lead_id,
                _url(happening, came_by) if anonymous else "",
                happening.path,
                _REFERRERS.get(came_by.source, "") if came_by else "",
                happening.title,
                agent,
                json.dumps(happening.properties) if happening.properties else "{}",
                _context(came_by) if came_by else "{}",
                not anonymous,
                happening.verdict,
                _signals(happening),
            ),
        )

    def _source(self, device: int) -> int:
        return {MAIL: self.mail, OFFLINE: self.sales}.get(device, self.web)

    def _recognise(self, lead_id: int, story: LeadStory, devices: Sequence[str]) -> None:
        """A visitor row and a link for every browser the lead used."""
        numbered = [(h.device, nth, h) for nth, h in enumerate(story.happenings) if h.device >= 0]
        numbered.sort(key=lambda entry: entry[:2])
        for device, group in groupby(numbered, key=lambda entry: entry[0]):
            seen = [(nth, happening) for _device, nth, happening in group]
            self._visitor(devices[device], lead_id, [h for _nth, h in seen], story.person.origin)
            forms = [(nth, h) for nth, h in seen if h.kind in FORM_KINDS]
            nth, happening = forms[0] if forms else seen[0]
            reason = "form" if forms else "mail"
            message = f"demo-{story.person.number}-{nth}"
            link = (devices[device], lead_id, self.web, message, reason, happening.at)
            self.copier.add(LINK, link)

    def _visitor(
        self, anonymous: str, lead_id: int | None, seen: Sequence[Happening], origin: Origin
    ) -> None:
        # Who was told of us, or stood on a list, came by typing the address.
        touch = (origin.channel, origin.source, origin.medium, origin.campaign)
        touch = touch if origin.starts == "form" else (Channel.DIRECT.value, "", "", "")
        row = (anonymous, lead_id, seen[0].at, seen[-1].at, *touch, seen[0].path)
        self.copier.add(VISITOR, row)


def _signals(happening: Happening) -> str:
    """What gave the machines of the demo away, as an array of PostgreSQL."""
    if happening.verdict == Verdict.SUSPECTED:
        return "{privacy_proxy}"
    if happening.verdict < Verdict.MACHINE:
        return "{}"
    by_kind = {"email_opened": "{before_delivery}", "email_link_clicked": "{all_links}"}
    return by_kind.get(happening.kind, "{crawler}")


def _came_by(happening: Happening, origin: Origin, *, is_first: bool) -> Origin | None:
    """What the link that led to a page says; None when there was none."""
    is_landing = happening.campaign or (is_first and origin.starts == "form")
    return origin if is_landing else None


def last_activity(happenings: Sequence[Happening]) -> datetime | None:
    """The newest sign of life of a human."""
    for happening in reversed(happenings):
        if happening.verdict < Verdict.MACHINE and happening.kind not in NOT_ACTIVITY:
            return happening.at
    return None


def _device_id(public_id: uuid.UUID, number: int) -> str:
    return str(uuid.UUID(int=public_id.int ^ (number + 1), version=4))


def _url(happening: Happening, origin: Origin | None) -> str:
    if origin is None:
        return SITE + happening.path
    tags = {
        "utm_source": origin.source, "utm_medium": origin.medium, "utm_campaign": origin.campaign
    }  # fmt: skip
    return f"{SITE}{happening.path}?{urlencode({k: v for k, v in tags.items() if v})}"


def _context(origin: Origin) -> str:
    campaign = {"name": origin.campaign, "source": origin.source, "medium": origin.medium}
    return json.dumps({"campaign": {key: value for key, value in campaign.items() if value}})


def open_waiting_room() -> None:
    """The temporary tables; gone with the transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE TEMP TABLE demo_event ON COMMIT DROP AS SELECT {', '.join(_COLUMNS)}"  # noqa: S608
            " FROM tracking_event WITH NO DATA"
        )
        cursor.execute(
            "CREATE TEMP TABLE demo_link (anonymous_id text, lead_id bigint, source_id bigint,"
            " message_id text, reason text, at timestamptz) ON COMMIT DROP"
        )


def publish_events(since: datetime, until: datetime) -> int:
    """Insert the events of one span of time, in order; returns how many."""
    columns = ", ".join((*_COLUMNS, *_EMPTY))
    values = ", ".join((*_COLUMNS, *_EMPTY.values()))
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO tracking_event ({columns}) SELECT {values} FROM demo_event"  # noqa: S608
            " WHERE occurred_at >= %s AND occurred_at < %s ORDER BY occurred_at, message_id",
            [since, until],
        )
        return cursor.rowcount


def link_visitors() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO tracking_visitorlink
                (visitor_id, lead_id, started_at, reason, is_flagged, event_id)
            SELECT v.id, l.lead_id, l.at, l.reason, false, e.id
              FROM demo_link l
              JOIN tracking_visitor v USING (anonymous_id)
              JOIN tracking_event e USING (source_id, message_id)
             ORDER BY l.at, l.message_id
            """
        )


def count_what_came() -> None:
    """Every event was received once and accepted."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO tracking_ingestcount AS mine (source_id, day, outcome, reason, count)
            SELECT source_id, (received_at AT TIME ZONE %s)::date, outcome, '', count(*)
              FROM demo_event, unnest(%s::text[]) AS outcome GROUP BY 1, 2, 3
            ON CONFLICT (source_id, day, outcome, reason)
            DO UPDATE SET count = mine.count + excluded.count
            """,
            [
                settings.REPORTING_TIME_ZONE,
                [IngestCount.Outcome.RECEIVED, IngestCount.Outcome.ACCEPTED],
            ],
        )
