"""What texts mean by the dictionaries: a title's seniority, a company's bare name. Plain values.

The dictionaries are rows that admins edit (dictionary_models.py). reading_words.py says the
same in SQL; verifying.py holds both against each other. What no entry knows is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from scoring.letters import LATIN, lowered, whole_words, words_at_the_end
from scoring.rules import folded
from scoring.vocabulary import MailKind, Seniority

# How often a legal form may stand at one end of a name: “주식회사 Acme Co., Ltd.”.
MOST_FORMS = 3
_PUNCTUATION = re.compile("[ .,\t\r\n]+")
_NOTHING = "(?!)"


@dataclass(frozen=True)
class Words:
    """The dictionaries as they are at one moment; all words folded (see `tidy`).

    `legal_forms`: whether each may also stand in front of the name. `mail_domains` is
    filled only for whoever reads e-mail types in Python.
    """

    seniorities: Mapping[str, str] = field(default_factory=dict)
    departments: Mapping[str, str] = field(default_factory=dict)
    industries: Mapping[str, str] = field(default_factory=dict)
    legal_forms: Mapping[str, bool] = field(default_factory=dict)
    mailboxes: frozenset[str] = frozenset()
    mail_domains: Mapping[str, str] = field(default_factory=dict)


def tidy(text: str) -> str:
    """In small letters (letters.py says which), single blanks, none outside."""
    return re.sub(" +", " ", lowered(text)).strip(" ")


def without_punctuation(text: str) -> str:
    """tidy, and full stops, commas and white space are single blanks: “co., ltd.” is “co ltd”."""
    return _PUNCTUATION.sub(" ", lowered(text)).strip(" ")


def pattern_of(words: Mapping[str, object]) -> str | None:
    """A regular expression for any of the words, whole; None when there are no words."""
    return whole_words(words) if words else None


def title_pattern_of(words: Mapping[str, object]) -> str | None:
    """The same for the titles that say a seniority, whose Korean words must end."""
    return words_at_the_end(words) if words else None


def form_patterns(words: Words) -> tuple[str, str]:
    """Regular expressions for legal forms in front of a name, and behind it."""
    leading = _any([form for form, may_lead in words.legal_forms.items() if may_lead])
    return (
        f"^( ?({leading})(?![{LATIN}])){{1,{MOST_FORMS}}}",
        f"( ?(?<![{LATIN}])({_any(list(words.legal_forms))})){{1,{MOST_FORMS}}} ?$",
    )


def _any(forms: list[str]) -> str:
    tidied = {without_punctuation(form) for form in forms} - {""}
    longest_first = sorted(tidied, key=lambda form: (-len(form), form))
    return "|".join(map(re.escape, longest_first)) or _NOTHING


def seniority_of(title: str, words: Words) -> str | None:
    """Of the levels that the words of a title stand for, the one that decides.

    Words are taken from left to right, at each place the longest, so “vice president” is no
    president. Then the first level in the order of Seniority holds: an assistant to
    the CEO is an assistant, whoever is CEO and manager leads the company.
    """
    pattern = title_pattern_of(words.seniorities)
    found = re.findall(pattern, tidy(title)) if pattern else []
    levels = {words.seniorities[word] for word in found}
    return next((level.value for level in Seniority if level in levels), None)


def department_of(title: str, words: Words) -> str | None:
    """What the first known word of a title stands for."""
    return _first(title, words.departments)


def industry_of(industry: str, words: Words) -> str | None:
    """The one name of an industry: that of its first known word, else the text itself."""
    return _first(industry, words.industries) or tidy(industry) or None


def _first(text: str, words: Mapping[str, str]) -> str | None:
    pattern = pattern_of(words)
    match = re.search(pattern, tidy(text)) if pattern else None
    return words[match[1]] if match else None


def bare_company(company: str, words: Words) -> str | None:
    """A company's name without its legal forms: “(주)한빛” and “한빛 Co., Ltd.” are “한빛”."""
    in_front, behind = form_patterns(words)
    name = re.sub(in_front, "", without_punctuation(company), count=1)
    return re.sub(behind, "", name, count=1).strip(" ") or None


def mail_kind_of(email: str, words: Words) -> str | None:
    """free, disposable, role or corporate; None without an address."""
    if not email:
        return None
    mailbox, _at, host = folded(email).partition("@")
    domain = host.partition("@")[0]
    kind = words.mail_domains.get(domain, MailKind.CORPORATE)
    if kind != MailKind.CORPORATE:
        return kind
    is_shared = mailbox.split("+")[0] in words.mailboxes
    return MailKind.ROLE.value if is_shared else MailKind.CORPORATE.value


# By the name of the field: how to understand its source.
MEANINGS = {
    "seniority": seniority_of,
    "department": department_of,
    "canonical_industry": industry_of,
    "company_name": bare_company,
    "email_type": mail_kind_of,
}
