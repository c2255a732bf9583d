"""Puts the story of the demo company into the database: all of it in one transaction, or nothing.

Rows come by COPY with all constraints and triggers on; scores and roll-ups are then
computed by the product's own functions. A run that is killed leaves nothing behind
but empty tables, and is simply run again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from django.db import OperationalError, connection, transaction

from funnel_app.demo import agreement, event_rows, lead_rows, sales_rows
from funnel_app.demo.casting import cast_roles
from funnel_app.demo.company import TEAMS
from funnel_app.demo.copying import AT_EACH_PORTION, Copier
from funnel_app.demo.gauge import Gauge
from funnel_app.demo.prospects import Group, groups, tell_group
from funnel_app.demo.seasons import Calendar
from funnel_app.demo.staff import Staff, hire
from funnel_app.demo.story import LeadStory, tell_leads
from funnel_app.demo.visitors import strangers
from insights import folding
from insights.traffic import folding as traffic
from leads.models import Lead
from leads.refusals import Refused
from leads.stages import Stage
from scoring import account_scores, rescore
from tracking import visiting
from tracking.keys import issue_key
from users.models import User

LOCK = 0x64_65_6D_6F  # "demo"
# Of all events, those of people who become leads; the others stay strangers.
SHARE_OF_LEADS = 0.8
SAMPLE = 150  # groups that are told to learn how talkative leads are
LEAST_DETAIL, MOST_DETAIL = 0.02, 4.0
MONTH = timedelta(days=30.4375)
_ANALYSED = (
    "leads_lead", "leads_account", "leads_stageepisode", "leads_standing",
    "leads_lastactivity", "leads_consent",
    "tracking_event", "tracking_visitor", "tracking_visitorlink", "sales_handoff",
    "sales_opportunity", "scoring_fieldmatch", "scoring_leadfeature", "insights_stay",
)  # fmt: skip


@dataclass(frozen=True)
class Size:
    """How much to tell. The story ends at `end` and began `months` before."""

    leads: int
    events: int
    months: int
    seed: int
    end: datetime

    @property
    def calendar(self) -> Calendar:
        return Calendar(self.end - self.months * MONTH, self.end)


class Progress(Protocol):
    """Told the name of a step and how far it is: done of total."""

    def __call__(self, step: str, done: int, total: int) -> None: ...


def seed(size: Size, progress: Progress) -> int:
    """Write the whole story; returns the number of events. Raises Refused if leads exist."""
    with transaction.atomic():
        _set_limits()
        _require_empty()
        staff = hire(size.leads)
        gauge = Gauge.of_active_version()
        if gauge is None:
            raise Refused("No scoring model is active: publish one, then load the demo data.")
        event_rows.open_waiting_room()
        _Teller(size, staff, gauge, progress).tell()
        events = _publish(size, progress)
        _analyse()
        rescore.rebuild(progress=lambda done, total: progress("Scoring", done, total))
        account_scores.refresh()
        progress("Counting the funnel", 0, 1)
        folding.rebuild()
        visiting.rebuild()
        traffic.rebuild()
        issue_key(staff.sources["web"], is_secret=False)
        agreement.propose(staff)
        progress("Counting the funnel", 1, 1)
    _vacuum()
    return events


def _set_limits() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '10s';"
            "SET LOCAL idle_in_transaction_session_timeout = 0;"
            "SET LOCAL work_mem = '128MB'; SET LOCAL maintenance_work_mem = '256MB';"
            # Checked at each statement: a million checks in wait for the commit need memory.
            f"SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS {AT_EACH_PORTION} DEFERRED"
        )


def _require_empty() -> None:
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # Waits: of a run that was just killed, the database may not know yet.
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
    except OperationalError as error:
        raise Refused("The demo data is being loaded already.") from error
    if Lead.objects.exists():
        raise Refused("There are leads already; demo data only goes into an empty database.")


class _Teller:
    """Tells groups and strangers one after the other, and has the rows copied."""

    def __init__(self, size: Size, staff: Staff, gauge: Gauge, progress: Progress) -> None:
        self.size, self.staff, self.gauge, self.progress = size, staff, gauge, progress
        self.calendar = size.calendar
        self.cast = cast_roles(_reps(staff), size.leads, size.seed)
        self.copier = Copier((*lead_rows.TABLES, *sales_rows.TABLES, *event_rows.TABLES))
        self.lead_rows = lead_rows.LeadRows(self.copier, staff, gauge)
        self.sales_rows = sales_rows.SalesRows(self.copier, staff, gauge)
        self.event_rows = event_rows.EventRows(self.copier, staff)

    def tell(self) -> None:
        detail = self._find_detail()
        events = 0
        for group in groups(self.size.seed, self.size.leads, self.calendar, self.cast):
            for story in self._tell_group(group, detail):
                events += len(story.happenings)
            self.copier.flush_if_full()
            self.progress("People", group.people[-1].number + 1, self.size.leads)
        self._tell_strangers(max(self.size.events - events, 0))
        self.copier.flush()
        self.lead_rows.keep_numbers()
        self.sales_rows.keep_numbers()

    def _find_detail(self) -> float:
        """How much of people's habits to tell, so that the events come to the number asked for.

        Nearly linear, so two tries are enough; strangers make up for the rest.
        """
        wanted = self.size.events * SHARE_OF_LEADS / self.size.leads
        least, usual = self._events_per_lead(LEAST_DETAIL), self._events_per_lead(1.0)
        detail = (wanted - least) / max(usual - least, 1)
        return min(max(detail, LEAST_DETAIL), MOST_DETAIL)

    def _events_per_lead(self, detail: float) -> float:
        """Of some groups whose part in the story is not fixed."""
        people = events = 0
        for number in range(len(self.cast), len(self.cast) + SAMPLE):
            group = tell_group(self.size.seed, number, self.calendar, None)
            stories = tell_leads(group, self.gauge, self.size.end, detail)
            people += len(stories)
            events += sum(len(story.happenings) for story in stories)
        return events / people

    def _tell_group(self, group: Group, detail: float) -> list[LeadStory]:
        account_id = None
        if group.company is not None:
            known_at = min(person.known_at for person in group.people)
            account_id = self.lead_rows.add_account(group.company, known_at)
        stories = tell_leads(group, self.gauge, self.size.end, detail)
        for story in stories:
            self._add(story, account_id)
        return stories

    def _add(self, story: LeadStory, account_id: int | None) -> None:
        journey, person = story.journey, story.person
        owner = self._owner(story)
        team_id = None
        if journey.proposals:
            team_id = self.staff.team_for(person.country.code).pk
        active_at = event_rows.last_activity(story.happenings)
        lead_id, episodes = self.lead_rows.add_lead(story, account_id, owner, team_id, active_at)
        if team_id is not None:
            self.sales_rows.add(lead_id, story, episodes, owner, team_id)
        self.event_rows.add_lead(lead_id, story)

    def _owner(self, story: LeadStory) -> User | None:
        """The rep the lead was given to; nobody if it never was, or waits in the team's queue."""
        person = story.person
        if not story.journey.proposals:
            return None
        if person.role and person.role.ending == "waiting" and story.journey.stage == Stage.MQL:
            return self.staff.by_email.get(person.role.rep)
        return self.staff.rep_for(person.country.code, story.rng)

    def _tell_strangers(self, events: int) -> None:
        told = 0
        for stranger in strangers(self.size.seed, self.calendar, events):
            self.event_rows.add_stranger(stranger)
            self.copier.flush_if_full()
            told += len(stranger.happenings)
            self.progress("Visitors", told, events)


def _reps(staff: Staff) -> list[tuple[str, tuple[str, ...]]]:
    """(e-mail address, countries) of every rep."""
    countries = {plan.name: plan.countries for plan in TEAMS}
    return [(rep.email, countries[team]) for team, reps in staff.reps.items() for rep in reps]


def _publish(size: Size, progress: Progress) -> int:
    """Events month by month: the memory for checking references stays small."""
    calendar, published = size.calendar, 0
    since = calendar.start - MONTH * 3  # some looked around before the story begins
    while since < size.end:
        until = min(since + MONTH, size.end)
        published += event_rows.publish_events(since, until)
        progress("Events", published, size.events)
        since = until
    event_rows.link_visitors()
    event_rows.count_what_came()
    return published


def _analyse() -> None:
    """Let the planner know what it is about to read; of tables still to be filled it cannot."""
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(_ANALYSED)}")
        cursor.execute("SET LOCAL enable_nestloop = off")


def _vacuum() -> None:
    """What autovacuum would do in its own time. Not possible within a caller's transaction."""
    if connection.in_atomic_block:
        return
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute(f"VACUUM ANALYZE {', '.join(_ANALYSED)}")
        cursor.execute("RESET statement_timeout")
