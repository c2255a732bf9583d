"""The leads behind the figures of a preview, a page at a time: those that the reader sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlencode

from django.db import connection, transaction
from django.db.models import QuerySet

from leads.models import Lead
from leads.paging import row_number
from scoring import crossing, folding, rescore
from scoring.choosing import among
from scoring.formula import Weights, scores_query
from scoring.in_force import leads_of
from scoring.models import ModelVersion
from scoring.previewing import COMPARED, ENTER, LEAVE
from users.models import User

PAGE_SIZE = 50


@dataclass(frozen=True)
class TurnedLead:
    """A lead in a list, with its score now and the one it would have."""

    lead: Lead
    before: Decimal
    after: Decimal


@dataclass(frozen=True)
class TurnedPage:
    """One page of the leads that would enter or leave, best first, of `count` in all."""

    rows: list[TurnedLead]
    count: int
    number: int

    @property
    def previous(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def next(self) -> int | None:
        return self.number + 1 if self.number * PAGE_SIZE < self.count else None


@dataclass(frozen=True)
class Wanted:
    """Which leads: those that `change` is about, narrowed. None: not narrowed by it."""

    change: str = ENTER
    handed_off: bool = False
    owner: str | None = None
    channel: str | None = None
    source: str | None = None

    @classmethod
    def read(cls, given: Mapping[str, str]) -> Wanted:
        """From an address; what makes no sense narrows nothing."""
        owner = given.get("owner")
        return cls(
            change=LEAVE if given.get("change") == LEAVE else ENTER,
            handed_off=given.get("handed_off") == "1",
            owner=owner if owner == "" or row_number(owner) else None,
            channel=_text(given.get("channel")),
            source=_text(given.get("source")),
        )

    def query(self) -> str:
        """The same as the query of an address."""
        given = {"change": self.change, "handed_off": "1" if self.handed_off else None}
        given |= {name: getattr(self, name) for name in ("owner", "channel", "source")}
        return urlencode({name: value for name, value in given.items() if value is not None})

    def narrow(self, leads: QuerySet[Lead]) -> QuerySet[Lead]:
        if self.handed_off:
            leads = leads.filter(pk__in=crossing.waiting_leads().values("pk"))
        if self.owner is not None:
            leads = leads.filter(owner=row_number(self.owner))
        for name in ("channel", "source"):
            if getattr(self, name) is not None:
                leads = leads.filter(**{name: getattr(self, name)})
        return leads


@transaction.atomic
def turned_leads(version: ModelVersion, user: User, wanted: Wanted, number: int = 1) -> TurnedPage:
    """The leads behind a figure that `user` may see."""
    rescore.set_limits()
    leads = wanted.narrow(Lead.objects.visible_to(user))
    which = among(leads, "lead")
    members = leads_of(version)
    fresh = scores_query(Weights.of(version), f"f.lead_id {members.sql}")
    compared = COMPARED.format(fresh=fresh)
    turned = "will AND NOT was" if wanted.change == ENTER else "was AND NOT will"
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH turned AS MATERIALIZED (
                SELECT lead_id, score, score_before FROM ({compared}) compared WHERE {turned})
            SELECT lead_id, score_before, score, count(*) OVER ()
              FROM turned WHERE lead_id {which.sql}
             ORDER BY score DESC, lead_id LIMIT {PAGE_SIZE} OFFSET %(offset)s
            """,
            which.values
            | members.values
            | {"as_of": folding.database_instant(), "offset": (max(number, 1) - 1) * PAGE_SIZE},
        )
        rows = cursor.fetchall()
    found = Lead.objects.select_related("owner", "account").defer("search")
    by_id = found.in_bulk([row[0] for row in rows])
    listed = [
        TurnedLead(by_id[lead_id], Decimal(before) / 100, Decimal(after) / 100)
        for lead_id, before, after, _count in rows
        if lead_id in by_id
    ]
    return TurnedPage(listed, rows[0][3] if rows else 0, max(number, 1))


def _text(given: str | None) -> str | None:
    return given[:200].replace("\0", "") if given is not None else None
