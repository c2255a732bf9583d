"""What the checks of scores find, and how they read: both sides of a comparison at one moment.

Events pour in and leads are scored while books are checked. Two sides read one after the other
would differ by whatever was committed between.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection

from leads.verifying import snapshot
from scoring.rescore import set_limits

SLICE = 500  # leads that are compared at one moment
# A lead with work waiting, or put aside, may differ until it is done.
SETTLED = """NOT EXISTS (SELECT 1 FROM scoring_dirtylead d WHERE d.lead_id = {lead})
    AND NOT EXISTS (SELECT 1 FROM scoring_failedlead d WHERE d.lead_id = {lead})"""


@dataclass(frozen=True)
class Discrepancy:
    """One lead whose books do not balance, and how."""

    check: str
    lead_id: int
    detail: str

    def __str__(self) -> str:
        return f"{self.check}: lead {self.lead_id}: {self.detail}"


@contextmanager
def one_moment(*swapped: str) -> Iterator[None]:
    """Everything read inside is of one moment, however long it takes. `swapped`: tables among them
    that publications swap; so they wait for us, and their readers for them."""
    with snapshot(*swapped):
        set_limits()
        yield


def compare_in_slices(
    lead_ids: Sequence[int], compare: Callable[[list[int]], list[Discrepancy]], *swapped: str
) -> list[Discrepancy]:
    """`compare` for some leads at a time, each slice at a moment of its own (`one_moment`).

    Leads for whom work waits by then are left out.
    """
    found = []
    for start in range(0, len(lead_ids), SLICE):
        with one_moment(*swapped):
            found += compare(_settled(lead_ids[start : start + SLICE]))
    return found


def _settled(lead_ids: Sequence[int]) -> list[int]:
    wanted = f"""SELECT l.id FROM leads_lead l
                  WHERE l.id = ANY(%(lead_ids)s) AND {SETTLED.format(lead="l.id")} ORDER BY l.id"""
    return [lead_id for (lead_id,) in rows(wanted, {"lead_ids": list(lead_ids)})]


def rows(sql: str, parameters: dict | None = None) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall()


def differences(check: str, stored: set[tuple], right: set[tuple]) -> list[Discrepancy]:
    """One for each row, which begins with the lead's id, that only one side knows."""
    surplus = [Discrepancy(check, row[0], f"too much: {row[1:]}") for row in stored - right]
    missing = [Discrepancy(check, row[0], f"missing: {row[1:]}") for row in right - stored]
    return sorted([*surplus, *missing], key=str)
