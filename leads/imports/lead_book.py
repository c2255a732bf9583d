"""The leads that the rows of an import speak of, as they are and as they are planned to be."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from leads.emails import normalised
from leads.imports.history import Place, Step
from leads.imports.interpret import Record
from leads.models import Account, Consent, ExternalId, Lead, StageEpisode
from leads.survivors import leads_by_email, survivors_of
from users.models import User

ExternalKey = tuple[str, str]  # (system, value)


@dataclass(eq=False)
class LeadState:
    """One lead: its row, and what is still to be written about it."""

    lead: Lead
    place: Place = field(default_factory=Place)
    # Whether mail is allowed, refused, or (None) not known.
    mail_consent: bool | None = None
    changed: set[str] = field(default_factory=set)
    new_ids: list[ExternalKey] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    consents: list[Consent] = field(default_factory=list)
    account: Account | None = None
    owner: User | None = None
    # Grows with every change that is planned.
    revision: int = 0

    @property
    def pk(self) -> int | None:
        return self.lead.pk

    @property
    def is_new(self) -> bool:
        return self.lead.pk is None

    def set(self, name: str, value: Any) -> None:
        """Set a field of the lead's row."""
        setattr(self.lead, name, value)
        self.changed.add(name)
        self.revision += 1

    def join(self, account: Account) -> None:
        self.account = account
        self.revision += 1

    def give_to(self, owner: User) -> None:
        self.owner = owner
        self.revision += 1

    def identify(self, keys: Sequence[ExternalKey]) -> None:
        self.new_ids += keys
        self.revision += len(keys)

    def hear(self, consent: Consent) -> None:
        self.mail_consent = consent.is_granted
        self.consents.append(consent)
        self.revision += 1

    def walk(self, steps: Sequence[Step]) -> None:
        """Plan further steps of its history."""
        if steps:
            self.steps += steps
            self.revision += 1
            last = steps[-1]
            reached = self.place.reached | {step.move.to_stage for step in steps}
            self.place = Place(last.move.to_stage, last.at, last.is_date_unknown, reached)

    def forget_written(self) -> None:
        self.changed, self.account, self.owner = set(), None, None
        self.new_ids, self.steps, self.consents = [], [], []


class LeadBook:
    """Leads by external id and by e-mail address. Locks their rows when it is to write."""

    def __init__(self, *, is_locking: bool) -> None:
        self.is_locking = is_locking
        self.by_id: dict[ExternalKey, LeadState] = {}
        self.by_email: dict[str, LeadState] = {}
        # Addresses of merged leads: they lead to the survivor without being its own.
        self.lent: set[str] = set()
        self._by_pk: dict[int, LeadState] = {}

    def load(self, records: Sequence[Record]) -> None:
        """Look up every lead these records may mean, in a handful of queries.

        An id or address of a merged lead means the one that it stands for.
        """
        ids = {key for record in records for key in record.ids} - self.by_id.keys()
        emails = {normalised(str(record.values.get("email", ""))) for record in records}
        by_id, by_email = _find_by_ids(ids), leads_by_email(emails - self.by_email.keys() - {""})
        went = survivors_of({*by_id.values(), *by_email.values()})
        self.lent |= {email for email, lead_id in by_email.items() if lead_id in went}
        unread = {went.get(lead_id, lead_id) for lead_id in (*by_id.values(), *by_email.values())}
        for state in _states(self._read(unread - self._by_pk.keys())):
            self._by_pk[state.lead.pk] = state
            if state.lead.email:
                self.by_email[state.lead.email.lower()] = state
        for key, lead_id in by_id.items():
            if found := self._by_pk.get(went.get(lead_id, lead_id)):
                self.by_id[key] = found
        for email, lead_id in by_email.items():
            if found := self._by_pk.get(went.get(lead_id, lead_id)):
                self.by_email[email] = found

    def add(self, state: LeadState, ids: Iterable[ExternalKey], email: str) -> None:
        """Remember under which keys a planned lead is known from now on."""
        for key in ids:
            self.by_id[key] = state
        if email:
            self.by_email[email] = state

    def _read(self, lead_ids: set[int]) -> list[Lead]:
        if not lead_ids:
            return []
        leads = Lead.objects.filter(pk__in=lead_ids).defer("search").order_by("pk")
        return list(leads.select_for_update(no_key=True) if self.is_locking else leads)


def _find_by_ids(ids: set[ExternalKey]) -> dict[ExternalKey, int]:
    by_system: dict[str, list[str]] = defaultdict(list)
    for system, value in ids:
        by_system[system].append(value)
    return {
        (system, value): lead_id
        for system, values in by_system.items()
        for value, lead_id in ExternalId.objects.filter(
            system=system, value__in=values
        ).values_list("value", "lead_id")
    }


def _states(leads: list[Lead]) -> list[LeadState]:
    """States of leads just read, with the stages they ever reached and their consent."""
    episodes: dict[int, list[tuple[str, bool]]] = defaultdict(list)
    rows = StageEpisode.objects.filter(lead__in=leads).order_by("lead_id", "seq")
    for lead_id, stage, is_unknown in rows.values_list("lead_id", "stage", "is_date_unknown"):
        episodes[lead_id].append((stage, is_unknown))
    consents = dict(
        Consent.objects.filter(lead__in=leads, purpose=Consent.Purpose.MAIL)
        .order_by("given_at", "id")
        .values_list("lead_id", "is_granted")
    )
    return [
        LeadState(lead, _place(lead, episodes[lead.pk]), consents.get(lead.pk)) for lead in leads
    ]


def _place(lead: Lead, episodes: list[tuple[str, bool]]) -> Place:
    return Place(
        stage=lead.stage if lead.episode_seq else "",
        since=lead.stage_entered_at,
        is_since_unknown=bool(episodes) and episodes[-1][1],
        reached=frozenset(stage for stage, _is_unknown in episodes),
    )
