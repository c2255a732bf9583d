"""Merging in tests: two people who are one, and everything that follows worked off."""

from __future__ import annotations

from funnel_app.verifying import items
from insights import folding
from leads import merging
from leads.actors import Actor
from leads.models import Lead, Merge
from tests.factories import settle
from tracking import visiting
from users.models import User


def merge(survivor: Lead, loser: Lead, by: User, **options) -> Merge:
    options.setdefault("reason", "same person")
    row = merging.merge(survivor.pk, loser.pk, by=Actor.of(by), **options)
    settle()
    refresh(survivor, loser)
    return row


def unmerge(row: Merge, by: User) -> Merge:
    row = merging.unmerge(row.pk, by=Actor.of(by), reason="two people after all")
    settle()
    return row


def refresh(*leads: Lead) -> None:
    for lead in leads:
        lead.refresh_from_db()


def prove() -> None:
    """Ledger, history, hand-offs, events and figures agree, of all leads."""
    settle()
    while visiting.drain() or folding.drain():
        pass
    outcomes = [outcome for item in items(None) for outcome in item.run()]
    assert [outcome for outcome in outcomes if outcome.count] == []
