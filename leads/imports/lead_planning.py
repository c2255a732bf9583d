"""Rows become leads: found again by id or e-mail address, filled in, moved along their history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leads.emails import normalised
from leads.imports import history, lead_writing
from leads.imports.account_book import AccountBook
from leads.imports.fields import ACCOUNT, MAIL_CONSENT, MAIL_OPT_OUT, OWNER
from leads.imports.history import Told
from leads.imports.interpret import Record
from leads.imports.lead_book import LeadBook, LeadState
from leads.imports.mapping import OnExisting, OnUnknown
from leads.imports.notes import Note
from leads.imports.owners import OwnerBook
from leads.imports.targets import Context, Outcome, RowPlan
from leads.imports.telling import contradiction, told_by
from leads.models import Consent, Lead
from leads.stages import Stage

PLAIN_FIELDS = (
    *("first_name", "last_name", "title", "phone", "company", "country", "persona"),
    *("channel", "source", "medium", "campaign"),
)
BLANK = ("", "unknown", None)


class LeadPlanner:
    """Plans what becomes of each record. In a check it locks nothing and is never applied."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.leads = LeadBook(is_locking=not context.is_check)
        self.accounts = AccountBook()
        self.owners = OwnerBook()
        self._touched: dict[int, LeadState] = {}

    def plan(self, records: Sequence[Record]) -> list[RowPlan]:
        """One plan per record; `subject` is the LeadState, None when the row failed."""
        sound = [record for record in records if not record.is_broken]
        self.leads.load(sound)
        self.accounts.load(
            record.values[key]
            for record in sound
            for key in (ACCOUNT, "company")
            if key in record.values
        )
        return [self._plan_row(record) for record in records]

    def apply(self) -> None:
        """Write what is planned, inside the caller's transaction."""
        self.accounts.create_new()
        lead_writing.write(list(self._touched.values()), by=self.context.by)
        self._touched.clear()

    def _plan_row(self, record: Record) -> RowPlan:
        row = RowPlan(record.number, record.line, notes=list(record.notes))
        email, complaint = _email(record)
        if complaint:
            row.notes.append(complaint)
        if not row.is_failed:
            row.subject = self._find(record, email, row)
        if row.is_failed:
            row.outcome, row.subject = Outcome.FAILED, None
            return row
        if row.subject is None:
            row.subject, row.outcome = LeadState(Lead()), Outcome.CREATED
        self._change(row.subject, record, email, row)
        return row

    def _change(self, state: LeadState, record: Record, email: str, row: RowPlan) -> None:
        before = state.revision
        self._identify(state, record, email, row)
        self._fill(state, record)
        self._place(state, record, row)
        self._hear_consent(state, record)
        self._walk(state, told_by(record), row)
        if state.revision == before:
            return
        self._touched[id(state)] = state
        if row.outcome == Outcome.UNCHANGED:
            row.outcome = Outcome.UPDATED

    def _find(self, record: Record, email: str, row: RowPlan) -> LeadState | None:
        """The lead this record means; None for a new one. Notes an error when it fits two."""
        found = {id(s): s for key in record.ids if (s := self.leads.by_id.get(key))}
        if len(found) > 1:
            row.notes.append(Note("two_leads"))
            return None
        state = next(iter(found.values()), None) or self.leads.by_email.get(email)
        if state is None and self.context.mapping.on_unknown == OnUnknown.REFUSE:
            row.notes.append(Note("unknown_lead"))
        elif state is not None and state.place.stage == Stage.MERGED:
            row.notes.append(Note("merged"))
        return state

    def _identify(self, state: LeadState, record: Record, email: str, row: RowPlan) -> None:
        new = [key for key in dict.fromkeys(record.ids) if key not in self.leads.by_id]
        state.identify(new)
        holder = self.leads.by_email.get(email)
        if holder is not None and holder is not state:
            row.notes.append(Note("email_taken", {"value": email}))
        elif email and email not in self.leads.lent and self._set(state, "email", email):
            self._set(state, "is_email_verified", False)
        self.leads.add(state, new, state.lead.email.lower())

    def _fill(self, state: LeadState, record: Record) -> None:
        first, last = _split_name(record.values.get("full_name", ""))
        given = {"first_name": first, "last_name": last} | record.values
        for name in PLAIN_FIELDS:
            if given.get(name):
                self._set(state, name, given[name])
        before = state.lead.custom
        after = {**record.custom, **before} if self._is_filling else {**before, **record.custom}
        if after != before:
            state.set("custom", after)

    def _place(self, state: LeadState, record: Record, row: RowPlan) -> None:
        """The lead's account and owner. An owner is never taken away by an import."""
        name = record.values.get(ACCOUNT, "")
        if name:
            account, is_new = self.accounts.get_or_plan(name)
            if is_new:
                row.notes.append(Note("account_created", {"value": name}))
            self._join(state, account, name)
        elif known := self.accounts.get(record.values.get("company", "")):
            self._join(state, known, known.name)
        if person := record.values.get(OWNER):
            owner = self.owners.find(person)
            if owner is None:
                row.notes.append(Note("unknown_owner", {"value": person}))
            elif state.lead.owner_id is None and state.owner is None:
                state.give_to(owner)

    def _join(self, state: LeadState, account: Any, name: str) -> None:
        current = state.account or state.lead.account_id
        is_same = current is account or (account.pk and current == account.pk)
        if not is_same and not (self._is_filling and current):
            state.join(account)
        if not state.lead.company:
            self._set(state, "company", name)

    def _hear_consent(self, state: LeadState, record: Record) -> None:
        """A refusal always counts; an agreement only where nothing is known yet."""
        says_no = record.values.get(MAIL_OPT_OUT) is True
        says_yes = record.values.get(MAIL_CONSENT) is True and not says_no
        if (says_no and state.mail_consent is not False) or (
            says_yes and state.mail_consent is None
        ):
            state.hear(
                Consent(
                    purpose=Consent.Purpose.MAIL,
                    is_granted=says_yes,
                    given_at=self.context.now,
                    evidence=f"{self.context.label}, {record.line}"[:500],
                    cause=f"{self.context.cause}-{record.number}",
                )
            )

    def _walk(self, state: LeadState, told: Told, row: RowPlan) -> None:
        if note := contradiction(told):
            row.notes.append(note)
        steps, notes = history.plan(state.place, told, now=self.context.now)
        state.walk(steps)
        row.notes += notes

    @property
    def _is_filling(self) -> bool:
        return self.context.mapping.on_existing == OnExisting.FILL

    def _set(self, state: LeadState, name: str, value: Any) -> bool:
        """Set a field of the lead, if the mapping lets the file win; whether it changed."""
        current = getattr(state.lead, name)
        if current == value or (self._is_filling and current not in BLANK):
            return False
        state.set(name, value)
        return True


def _email(record: Record) -> tuple[str, Note | None]:
    """(normalised address or "", what is wrong). An id may stand in for an address."""
    text = str(record.values.get("email", ""))
    if not text:
        return "", None if record.ids else Note("no_key")
    email = normalised(text)
    if not email:
        code = "bad_email_kept_id" if record.ids else "bad_email"
        return "", Note(code, {"value": text.lower()[:80]})
    return email, None


def _split_name(name: str) -> tuple[str, str]:
    """The last word is the last name."""
    first, _blank, last = name.strip().rpartition(" ")
    return first[:100], last[:100]
