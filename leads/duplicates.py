"""Who may be in here twice: suggestions for people to look at. Nothing is merged by itself.

`drain` compares all leads now and then (leads/duplicates_search.py) and keeps what it finds
as rows, so the page is one short walk of an index. What somebody found to be two people is
remembered and not suggested again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils.timezone import now
from django.utils.translation import gettext as _

from leads import audit, duplicates_search
from leads.actors import Actor
from leads.merging_models import DuplicateQuerySet
from leads.models import Duplicate, DuplicateSearch, Lead
from leads.paging import Page, Sort
from leads.paging import read_page as read_keyset
from users.models import User

PAGE_SIZE = 25
SEARCHED_EVERY = timedelta(minutes=10)
_LOCK = 74_010  # advisory: one search at a time
_NEWEST = Sort("", F("found_at"))
_PEOPLE = ("first__account", "second__account", "first__owner", "second__owner")


@dataclass(frozen=True)
class Suggestion:
    """Two leads that may be one person, and why, in words."""

    first: Lead
    second: Lead
    sentence: str
    at: datetime | None = field(default=None, compare=False)


# What apps above have noticed about two leads, for people to look at; the newest first.
Hints = Callable[[User, int], list[Suggestion]]
_hints: list[Hints] = []


def register_hints(hints: Hints) -> None:
    if hints not in _hints:
        _hints.append(hints)


def drain(limit: int) -> int:
    """Search if it is time to; for the relay. Returns 1 when it did."""
    is_due = Q(searched_at=None) | Q(searched_at__lt=now() - SEARCHED_EVERY)
    if DuplicateSearch.objects.exists() and not DuplicateSearch.objects.filter(is_due).exists():
        return 0
    return int(search())


@transaction.atomic
def search() -> bool:
    """Compare all leads; returns whether it did, or somebody else was at it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not cursor.fetchone()[0]:
            return False
    duplicates_search.search()
    DuplicateSearch.objects.update_or_create(pk=1, defaults={"searched_at": now()})
    return True


def searched_at() -> datetime | None:
    """When all leads were last compared."""
    return DuplicateSearch.objects.values_list("searched_at", flat=True).first()


def visible(user: User) -> DuplicateQuerySet:
    """Suggestions that wait for a decision, of leads that this user may see."""
    waiting = Duplicate.objects.visible_to(user).waiting()
    return waiting.filter(first__merged_into=None, second__merged_into=None)


def read_page(user: User, *, after: int | None, before: int | None) -> Page[Duplicate]:
    rows = visible(user).select_related(*_PEOPLE).defer("first__search", "second__search")
    return read_keyset(rows, _NEWEST, after=after, before=before, size=PAGE_SIZE)


def of_lead(lead: Lead, user: User) -> list[Suggestion]:
    """Who else this lead may be."""
    rows = visible(user).filter(Q(first=lead) | Q(second=lead)).select_related(*_PEOPLE)
    return [Suggestion(row.first, row.second, row.sentence, row.found_at) for row in rows]


def between(one: Lead, other: Lead) -> str:
    """Why these two are suggested, in words; "" when they are not."""
    first, second = sorted((one.pk, other.pk))
    row = Duplicate.objects.filter(first=first, second=second).first()
    return row.sentence if row else ""


def told_by_others(user: User, limit: int = PAGE_SIZE) -> list[Suggestion]:
    """What apps above have noticed, without what somebody has answered already."""
    found = [hint for hints in _hints for hint in hints(user, limit)]
    pairs = {_in_order(hint.first.pk, hint.second.pk): hint for hint in reversed(found)}
    answered = Duplicate.objects.exclude(dismissed_at=None).filter(
        first__in={first for first, _second in pairs}
    )
    for pair in answered.values_list("first_id", "second_id"):
        pairs.pop(pair, None)
    return sorted(pairs.values(), key=lambda hint: hint.at or now(), reverse=True)[:limit]


@transaction.atomic
def dismiss(one: int, other: int, *, by: Actor, reason: str = "") -> None:
    """Remember that these are two people."""
    first, second = _in_order(one, other)
    row, _was_new = Duplicate.objects.get_or_create(
        first_id=first, second_id=second, defaults={"reasons": []}
    )
    if row.dismissed_at is not None:
        return
    row.dismissed_at, row.dismissed_by = now(), by.user
    row.save(update_fields=["dismissed_at", "dismissed_by"])
    for lead_id, twin_id in ((first, second), (second, first)):
        audit.record(
            by,
            "told_apart",
            object_kind="lead",
            object_id=lead_id,
            changes={"duplicate": [None, twin_id]},
            reason=reason or _("Not a duplicate"),
        )


def _in_order(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)
