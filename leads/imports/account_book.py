"""The accounts that the rows of an import speak of: looked up once, created once."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection
from django.db.models.functions import Lower

from leads.models import Account

LOCK = 7_215_001  # only so that two imports do not create the same account at once


class AccountBook:
    """Accounts by name, whatever the case. New ones are unsaved until `create_new`."""

    def __init__(self) -> None:
        self._by_name: dict[str, Account | None] = {}
        self._new: dict[str, Account] = {}

    def load(self, names: Iterable[str]) -> None:
        """Look up the names not asked for yet, in one query."""
        unknown = {name.casefold() for name in names} - self._by_name.keys()
        if unknown:
            self._by_name |= dict.fromkeys(unknown)
            self._by_name |= _find(unknown)

    def get(self, name: str) -> Account | None:
        return self._by_name.get(name.casefold())

    def get_or_plan(self, name: str) -> tuple[Account, bool]:
        """(the account of that name, whether it was just planned as a new one)."""
        key = name.casefold()
        account = self._by_name.get(key)
        if account is not None:
            return account, False
        account = self._by_name[key] = self._new[key] = Account(name=name)
        return account, True

    def create_new(self) -> None:
        """Write the planned accounts, unless another transaction was faster with some."""
        if not self._new:
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        for key, existing in _find(self._new.keys()).items():
            self._new.pop(key).pk = existing.pk
        Account.objects.bulk_create(self._new.values())
        self._new.clear()


def _find(names: Iterable[str]) -> dict[str, Account]:
    """The oldest account of each (case-folded) name."""
    rows = Account.objects.annotate(lower_name=Lower("name")).filter(lower_name__in=list(names))
    return {account.name.casefold(): account for account in rows.order_by("-pk")}
