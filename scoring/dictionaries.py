"""What words mean: reading the dictionaries, and what follows when an entry changes.

An edit changes no rule that was signed, but which leads it holds for: the signals that
ask for the meaning are looked for in all leads again, in the background, by the same
counting as new signals (publishing.count_some), and the scores follow.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from django.db import transaction

from leads.hints import hint
from scoring import mail_lists
from scoring.dictionary_models import (
    IndustryWord,
    LegalForm,
    MailDomain,
    Rewording,
    SharedMailbox,
    TitleWord,
)
from scoring.meanings import Words
from scoring.models import Signal
from scoring.vocabulary import Axis

# By model: the fields that its entries explain.
EXPLAINS: dict[type, tuple[str, ...]] = {
    TitleWord: ("seniority", "department"),
    IndustryWord: ("canonical_industry",),
    LegalForm: ("company_name",),
    SharedMailbox: ("email_type",),
    MailDomain: ("email_type",),
}
MOST_ENTRIES = 2000


def read(names: Iterable[str], *, with_mail: bool = False) -> Words:
    """The dictionaries that these fields need, as they are now; the others stay empty.

    A fold reads them under the locks of its leads, so it is either counted again after an
    edit or knows of it. `with_mail` also reads mail domains (15,000), for Python's use.
    """
    asked = set(names)
    return Words(
        seniorities=_pairs(TitleWord, "seniority") if "seniority" in asked else {},
        departments=_pairs(TitleWord, "department") if "department" in asked else {},
        industries=_pairs(IndustryWord, "industry") if "canonical_industry" in asked else {},
        legal_forms=_pairs(LegalForm, "may_lead") if "company_name" in asked else {},
        mailboxes=frozenset(_column(SharedMailbox, "word")) if with_mail else frozenset(),
        mail_domains=dict(MailDomain.objects.values_list("domain", "kind")) if with_mail else {},
    )


def _pairs(model: type, column: str) -> dict:
    rows = model.objects.values_list("word", column)  # type: ignore[attr-defined]
    return {word: meant for word, meant in rows if meant != ""}


def _column(model: type, column: str) -> list[str]:
    return list(model.objects.values_list(column, flat=True))  # type: ignore[attr-defined]


def names_in(conditions: Iterable[dict]) -> set[str]:
    return {condition["field"] for condition in conditions}


@transaction.atomic
def reword(fields: Iterable[str]) -> int:
    """These fields mean something else from now on. In the transaction of the edit.

    Returns how many signals will be looked for again.
    """
    changed = set(fields)
    signals = (
        Signal.objects.filter(axis=Axis.FIT).order_by("ordinal").select_for_update(no_key=True)
    )
    touched = [signal.pk for signal in signals if names_in(signal.conditions) & changed]
    if touched:
        Signal.objects.filter(pk__in=touched).update(counted_at=None, counted_to_lead_id=0)
        Rewording.objects.create(signal_ids=touched)
        transaction.on_commit(partial(hint, "scoring.tasks.publish"), robust=True)
    return len(touched)


@transaction.atomic
def keep_up_mail_domains() -> int:
    """Take over the lists of free and throw-away mail that are installed; how many rows changed."""
    changed = mail_lists.take_over_lists(MailDomain.objects)
    if changed:
        reword(EXPLAINS[MailDomain])
    return changed


@transaction.atomic
def write_entry(entry: object, *, is_new: bool) -> None:
    """Save an entry that an admin wrote, and have its meaning found anew."""
    if isinstance(entry, MailDomain):
        entry.is_listed = False
    entry.save(force_insert=is_new)  # type: ignore[attr-defined]
    reword(EXPLAINS[type(entry)])


@transaction.atomic
def remove_entry(entry: object) -> None:
    entry.delete()  # type: ignore[attr-defined]
    reword(EXPLAINS[type(entry)])
