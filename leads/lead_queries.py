"""What the page of one lead reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection
from django.db.models import Exists, OuterRef, Prefetch

from leads import timeline
from leads.models import BuyingRole, Consent, Lead, LeadQuerySet, Merge, StageEpisode
from leads.stages import FUNNEL, MERGE_KINDS, Stage

MOST_COLLEAGUES = 12
TIMELINE_PAGE = 30


def lead_in_full(user) -> LeadQuerySet:
    """Leads this user may see, with what every part of the lead page needs."""
    leads = Lead.objects.visible_to(user).annotate(
        has_merges=Exists(Merge.objects.filter(survivor=OuterRef("pk"), undone_at=None))
    )
    related = ("standing", "last_activity", "owner", "team", "account")
    return leads.select_related(*related).defer("search")


@dataclass(frozen=True)
class Step:
    """One of the six stages in the current cycle. `state`: done, current or ahead."""

    stage: str
    label: str
    state: str
    episode: StageEpisode | None = None


@dataclass(frozen=True)
class Cycle:
    """One trip through the funnel, oldest episode first."""

    number: int
    episodes: list[StageEpisode] = field(default_factory=list)


def episodes_of(lead: Lead) -> list[StageEpisode]:
    return list(lead.episodes.order_by("seq"))


_KNOWN_SINCE = """
WITH RECURSIVE one AS (
    SELECT id, created_at FROM leads_lead WHERE id = %s
    UNION ALL
    SELECT l.id, l.created_at FROM one JOIN leads_lead l ON l.merged_into_id = one.id)
SELECT min(least(one.created_at, first.entered_at))
  FROM one LEFT JOIN leads_stageepisode first ON first.lead_id = one.id AND first.seq = 1
"""


def known_since(lead: Lead) -> datetime:
    """The beginning of a lead: its first stage or its row, whichever is earlier.

    Whoever was merged into it is the same person, so the earliest of all of them.
    """
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN_SINCE, [lead.pk])
        return cursor.fetchone()[0]


def stage_at(lead: Lead, instant: datetime) -> str | None:
    """The stage that a lead was in then; None before its first, or where its date is unknown."""
    entered = lead.episodes.filter(entered_at__lte=instant, is_pass_through=False)
    episode = entered.order_by("-seq").first()
    return None if episode is None or episode.is_date_unknown else episode.stage


def stepper(lead: Lead, episodes: list[StageEpisode]) -> list[Step]:
    """The six stages, each with the episode in which the current cycle reached it.

    A new cycle begins at Qualified lead: what came before belongs to the first one.
    """
    now = [e for e in episodes if e.cycle == lead.cycle and e.entry_kind not in MERGE_KINDS]
    reached = {e.stage: e for e in now}
    if lead.cycle > 1 and episodes:
        reached.setdefault(Stage.LEAD, episodes[0])
    return [
        Step(stage, str(stage.label), _state(lead, stage, reached), reached.get(stage))
        for stage in FUNNEL
    ]


def _state(lead: Lead, stage: str, reached: dict) -> str:
    if stage == lead.stage:
        return "current"
    return "done" if stage in reached else "ahead"


def cycles(episodes: list[StageEpisode]) -> list[Cycle]:
    """The whole history, newest cycle first."""
    found: dict[int, Cycle] = {}
    for episode in episodes:
        found.setdefault(episode.cycle, Cycle(episode.cycle)).episodes.append(episode)
    return list(reversed(found.values()))


def colleagues(lead: Lead, user) -> list[Lead]:
    """Others of the same account whom this user may see, most promising first."""
    if not lead.account_id:
        return []
    others = Lead.objects.visible_to(user).filter(account=lead.account_id, merged_into=None)
    others = others.exclude(pk=lead.pk)
    return list(with_roles(others).order_by("-standing__score", "pk")[:MOST_COLLEAGUES])


def with_roles(leads: LeadQuerySet) -> LeadQuerySet:
    roles = Prefetch("buying_roles", queryset=BuyingRole.objects.order_by("kind"))
    return leads.select_related("standing", "owner").defer("search").prefetch_related(roles)


def newest_consents(consents: list[Consent]) -> list[Consent]:
    """The answer in force per purpose. `consents` are newest first."""
    newest: dict[str, Consent] = {}
    for consent in consents:
        newest.setdefault(consent.purpose, consent)
    return list(newest.values())


@dataclass(frozen=True)
class TimelinePage:
    entries: list[timeline.Entry]
    # Where the next, older page begins; None at the end.
    before: datetime | None


def timeline_page(
    lead: Lead,
    *,
    before: datetime | None = None,
    only: str = "",
    narrowing: timeline.Narrowing | None = None,
) -> TimelinePage:
    """One page of the timeline. Entries of one instant are never torn apart by a page break."""
    entries = timeline.read(
        lead, before=before, limit=TIMELINE_PAGE + 1, only=only, narrowing=narrowing
    )
    if len(entries) <= TIMELINE_PAGE:
        return TimelinePage(entries, None)
    kept = [entry for entry in entries if entry.at > entries[-1].at] or entries
    return TimelinePage(kept, kept[-1].at)
