"""Accounts (companies), as something an import can bring."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads.accounts import tell_people_of
from leads.imports.account_book import AccountBook
from leads.imports.fields import ACCOUNT_FIELDS
from leads.imports.interpret import Record
from leads.imports.mapping import Mapping, OnExisting, OnUnknown
from leads.imports.notes import Note
from leads.imports.targets import Context, Outcome, RowPlan, Target
from leads.imports.words import ACCOUNT_WORDS
from leads.models import Account

PLAIN_FIELDS = ("industry", "country", "employee_count", "revenue_amount", "revenue_currency")


class AccountPlanner:
    """Finds accounts by name, whatever the case, and fills them in."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.book = AccountBook()
        self._changed: dict[int, tuple[Account, set[str]]] = {}

    def plan(self, records: Sequence[Record]) -> list[RowPlan]:
        self.book.load(r.values["name"] for r in records if "name" in r.values)
        return [self._plan_row(record) for record in records]

    def apply(self) -> None:
        self.book.create_new()
        accounts = [account for account, _fields in self._changed.values()]
        fields = set().union(*(fields for _account, fields in self._changed.values()))
        if fields:
            Account.objects.bulk_update(accounts, sorted(fields))
            tell_people_of(accounts)
        self._changed.clear()

    def _plan_row(self, record: Record) -> RowPlan:
        row = RowPlan(record.number, record.line, notes=list(record.notes))
        name = record.values.get("name", "")
        if not name:
            row.notes.append(Note("no_name"))
        elif self.book.get(name) is None and self._refuses_unknown:
            row.notes.append(Note("unknown_account"))
        if row.is_failed:
            row.outcome = Outcome.FAILED
            return row
        row.subject, is_new = self.book.get_or_plan(name)
        has_changed = self._fill(row.subject, record)
        if is_new:
            row.outcome = Outcome.CREATED
        elif has_changed:
            row.outcome = Outcome.UPDATED
        return row

    @property
    def _refuses_unknown(self) -> bool:
        return self.context.mapping.on_unknown == OnUnknown.REFUSE

    def _fill(self, account: Account, record: Record) -> bool:
        given: dict[str, Any] = {k: record.values[k] for k in PLAIN_FIELDS if k in record.values}
        given["custom"] = self._custom(account, record)
        if domain := _bare_domain(record.values.get("domain", "")):
            given["domain"] = domain
        changed = {name for name, value in given.items() if self._set(account, name, value)}
        if changed:
            _account, fields = self._changed.setdefault(id(account), (account, set()))
            fields |= changed
        return bool(changed)

    def _custom(self, account: Account, record: Record) -> dict:
        if self._is_filling:
            return {**record.custom, **account.custom}
        return {**account.custom, **record.custom}

    @property
    def _is_filling(self) -> bool:
        return self.context.mapping.on_existing == OnExisting.FILL

    def _set(self, account: Account, name: str, value: Any) -> bool:
        current = getattr(account, name)
        if current == value or (self._is_filling and name != "custom" and current):
            return False
        setattr(account, name, value)
        return True


def _bare_domain(text: str) -> str:
    """`https://www.acme.example/about` is acme.example."""
    host = text.lower().split("://")[-1].split("/")[0].removeprefix("www.")
    return host if "." in host else ""


def missing(mapping: Mapping) -> Iterator[str]:
    if not mapping.uses_to("name"):
        yield _("Map a column to the name, so that accounts are found again.")


ACCOUNTS = Target(
    key="accounts",
    label=gettext_lazy("Accounts"),
    fields=ACCOUNT_FIELDS,
    vocabulary=ACCOUNT_WORDS,
    planner=AccountPlanner,
    missing=missing,
    custom_target="account",
    view_name="accounts:account",
)
