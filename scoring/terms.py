"""What people sign: the terms of a version, what differs between two, and their fingerprint.

A term is known by what it is about (a field, a rule's signal, a group), never by its words:
two signals may be called alike, and a signature holds in every language.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from scoring.condition_wording import number
from scoring.drafting import CLONED
from scoring.models import ModelVersion, Signal
from scoring.wording import describe

# What a term is about: ("number", field), ("rule", signal id), ("cap", axis, group) …
Key = tuple[object, ...]
# What a signal counts; two that agree in all of these count the very same.
MEANING = (
    "axis",
    "event_kind",
    "conditions",
    "frequency",
    "max_count",
    "period_days",
    "distinct_field",
    "half_life_days",
    "window_days",
    "inactive_days",
)


@dataclass(frozen=True)
class Term:
    """One thing that a version says, in words and as a value; `signal` where it is a rule's."""

    words: str
    value: object
    signal: Signal | None = None


@dataclass(frozen=True)
class Change:
    """What a version differs in from the one before: "pricing page 10 → 15". None: not there.

    `sentence` says it to people, and of a new rule what it counts.
    """

    what: str
    before: object
    after: object
    sentence: str


def before(version: ModelVersion) -> ModelVersion | None:
    """What signing it would replace, or replaced: not what it happened to be cloned from."""
    if version.published_at:
        return version.replaces or version.based_on
    active = ModelVersion.objects.in_force().filter(model=version.model_id).first()
    return active or version.based_on


def changes_of(version: ModelVersion) -> list[Change]:
    """What changes against the version before it; empty when there is none."""
    origin = before(version)
    return changes_against(origin, version) if origin else []


def changes_against(origin: ModelVersion, version: ModelVersion) -> list[Change]:
    """What differs between two versions, in words; rules that are called alike say what counts."""
    was, will = terms_of(origin), terms_of(version)
    both = was | will
    called = Counter(term.words for term in both.values())
    changed = [
        _change(key, _distinct(term, called), _value(was, key), _value(will, key), term)
        for key, term in both.items()
        if _value(was, key) != _value(will, key)
    ]
    return sorted(changed, key=lambda change: change.what)


def _change(key: Key, what: str, before: object, after: object, term: Term) -> Change:
    said = {"what": what, "before": _shown(before), "after": _shown(after)}
    if key[0] == "blocks":
        words = _("%(what)s, from now on") if after else _("%(what)s no longer")
    elif after is None:
        words = _("%(what)s: gone, was %(before)s")
    elif before is None:
        words = _("%(what)s: new, %(after)s")
    else:
        words = _("%(what)s: %(before)s → %(after)s")
    sentence = words % said
    # Whose words are shared with another term says what it counts in `what`.
    if key[0] == "rule" and before is None and term.signal and what == term.words:
        sentence = f"{sentence}. {describe(term.signal)}"
    return Change(what, before, after, sentence)


def _shown(value: object) -> str:
    return number(value.normalize()) if isinstance(value, Decimal) else str(value)


def _value(terms: Mapping[Key, Term], key: Key) -> object:
    return terms[key].value if key in terms else None


def _distinct(term: Term, called: Counter[str]) -> str:
    if called[term.words] == 1 or term.signal is None:
        return term.words
    return f"{term.words} ({describe(term.signal)})"


def fingerprint(version: ModelVersion) -> str:
    """A text that changes with anything that somebody signs."""
    return _digest(
        content(version), version.effective_from, version.model_id, version.model.conditions
    )


def content(version: ModelVersion) -> list[object]:
    """Everything that scores follow from: the terms, and what each signal counts."""
    terms = terms_of(version)
    values = sorted((repr(key), repr(term.value)) for key, term in terms.items())
    signals = {term.signal.pk: term.signal for term in terms.values() if term.signal}
    meanings = [
        (pk, [getattr(signal, name) for name in ("label", *MEANING)])
        for pk, signal in sorted(signals.items())
    ]
    return [values, meanings]


def _digest(*said: object) -> str:
    return hashlib.sha256(repr(said).encode()).hexdigest()[:32]


def terms_of(version: ModelVersion) -> dict[Key, Term]:
    """Every number of a version, with the words that an admin knows it by."""
    terms: dict[Key, Term] = {}
    for name in CLONED:
        words = str(getattr(ModelVersion._meta.get_field(name), "verbose_name", name))
        terms["number", name] = Term(words, getattr(version, name))
    for rule in version.rules.select_related("signal"):
        signal, words = rule.signal, rule.signal.words
        terms["rule", signal.pk] = Term(words, rule.points, signal)
        if rule.is_blocking:
            terms["blocks", signal.pk] = Term(_("%(rule)s blocks") % {"rule": words}, True, signal)
        if rule.group:
            grouped = _("%(rule)s: group") % {"rule": words}
            terms["group", signal.pk] = Term(grouped, rule.group, signal)
    for cap in version.caps.all():
        words = _("Cap of %(group)s") % {"group": cap.group}
        terms["cap", cap.axis, cap.group] = Term(words, cap.cap)
    return terms
