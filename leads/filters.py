"""Which leads a list shows: a filter as plain values, and the one place that applies it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import reduce
from operator import and_
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.postgres.search import Lexeme, SearchQuery
from django.db.models import Exists, OuterRef, Q

from leads.lifecycle_models import StageEpisode
from leads.models import Lead, LeadQuerySet
from leads.stages import Stage

# What PostgreSQL's query language could take for an operator separates words here, and what
# leads/searching.py takes apart in addresses.
SEPARATORS = re.compile(r"[\s'\"\0\[\]()|&:*!@<>\\._+-]+")
MOST_WORDS = 8
# With more matches than this, the first pages are quickly found in any order.
RARE = 1_000


@dataclass(frozen=True)
class LeadFilter:
    """What the lead list can be narrowed by; an empty value narrows nothing.

    The days are in the reporting time zone and both included. With `reached`
    they say when the stage was entered, without it when the lead was created.
    """

    text: str = ""
    stage: str = ""
    channel: str = ""
    last_channel: str = ""
    source: str = ""
    owner_id: int | None = None
    is_unowned: bool = False
    team_id: int | None = None
    country: str = ""
    quadrant: str = ""
    score_min: Decimal | None = None
    score_max: Decimal | None = None
    account_id: int | None = None
    reached: str = ""
    entered_from: date | None = None
    entered_to: date | None = None

    def apply(self, leads: LeadQuerySet) -> LeadQuerySet:
        exact = {
            "stage": self.stage,
            "channel": self.channel,
            "touch__last_channel": self.last_channel,
            "source": self.source,
            "owner": self.owner_id,
            "team": self.team_id,
            "country": self.country,
            "account": self.account_id,
            "standing__quadrant": self.quadrant,
            "standing__score__gte": self.score_min,
            "standing__score__lte": self.score_max,
        }
        leads = leads.filter(**{k: v for k, v in exact.items() if v not in ("", None)})
        if not self.text and self.stage != Stage.MERGED:
            # Who searches for one by name or address is led to whom it was merged into.
            leads = leads.filter(merged_into=None)
        if self.is_unowned:
            leads = leads.filter(owner=None)
        return self._when(search(leads, self.text))

    def _when(self, leads: LeadQuerySet) -> LeadQuerySet:
        field = "entered_at" if self.reached else "created_at"
        period = _period(field, self.entered_from, self.entered_to)
        if not self.reached:
            return leads.filter(period)
        episodes = StageEpisode.objects.filter(period, lead=OuterRef("pk"), stage=self.reached)
        if period:
            episodes = episodes.filter(is_date_unknown=False)
        return leads.filter(Exists(episodes))


def search(leads: LeadQuerySet, text: str) -> LeadQuerySet:
    """The leads in whose name, e-mail, company or title every word of `text` begins a word."""
    words = [word for word in SEPARATORS.split(text) if re.search(r"\w", word)][:MOST_WORDS]
    if not text.strip():
        return leads
    if not words:
        return leads.none()
    query = reduce(and_, (Lexeme(word, prefix=True) for word in words))
    matches = Q(search=SearchQuery(query, config="simple"))
    # PostgreSQL takes every beginning of a word for common. It would go through all leads in the
    # order of the list to find a rare one, so rare ones are looked up beforehand.
    found = list(Lead.objects.filter(matches).values_list("pk", flat=True)[: RARE + 1])
    return leads.filter(matches) if len(found) > RARE else leads.filter(pk__in=found)


def day_begins_at(day: date) -> datetime:
    """Midnight in the reporting time zone."""
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(settings.REPORTING_TIME_ZONE))


def _period(field: str, first: date | None, last: date | None) -> Q:
    period = Q()
    if first:
        period &= Q(**{f"{field}__gte": day_begins_at(first)})
    if last and last < date.max:
        period &= Q(**{f"{field}__lt": day_begins_at(last + timedelta(days=1))})
    return period
