"""What a message claims about a person: address, name, company, consent. Pure reading.

Keys are snake_case here, as tracking/clean.py left them; `said` are the properties of an
event or the traits of an identify call.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django_countries import countries

from leads.emails import LONGEST_EMAIL, normalised

_YES = frozenset({"true", "yes", "on", "1", "y", "granted"})
_CONSENT_KEYS = ("consent", "marketing_consent", "email_consent", "opt_in", "gdpr_consent")
# Lead field: the names it goes by in traits and form fields.
_PROFILE = {
    "first_name": ("first_name", "firstname", "given_name"),
    "last_name": ("last_name", "lastname", "family_name", "surname"),
    "title": ("job_title", "jobtitle", "position", "title"),
    "phone": ("phone", "phone_number", "mobile"),
    "persona": ("persona",),
}
_COUNTRY_NAMES = {
    "uk": "GB",
    "england": "GB",
    "great britain": "GB",
    "united kingdom": "GB",
    "united states": "US",
    "korea": "KR",
    "republic of korea": "KR",
    "deutschland": "DE",
    "españa": "ES",
    "대한민국": "KR",
    "한국": "KR",
}
_LONGEST = {"first_name": 100, "last_name": 100, "title": 150, "phone": 50, "persona": 100}


@dataclass(frozen=True)
class Claim:
    """Who a message says it is about; unverified unless the source is trusted."""

    email: str = ""
    profile: dict[str, str] = field(default_factory=dict)
    custom: dict[str, Any] = field(default_factory=dict)
    has_consent: bool = False


def read_claim(
    said: dict, context: dict, *, user_id: str = "", custom_keys: Collection[str] = ()
) -> Claim:
    """Everything a form or an identify call says about its person.

    `custom_keys` are the keys of the custom fields that exist; others are not taken over.
    """
    traits = {**_object(context.get("traits")), **_object(said.get("traits")), **said}
    return Claim(
        email=email_in(said, context) or email_of(user_id),
        profile=_profile(traits),
        custom={k: v for k, v in traits.items() if k in custom_keys and v not in (None, "")},
        has_consent=any(_is_yes(traits.get(key)) for key in _CONSENT_KEYS),
    )


def email_in(said: dict, context: dict) -> str:
    """The e-mail address that a message names, lower-case; "" when there is none.

    In this order: `properties.email` (or `traits.email` of an identify call),
    `properties.traits.email`, `context.traits.email`.
    """
    for holder in (said, said.get("traits"), context.get("traits")):
        if isinstance(holder, dict):
            email = email_of(holder.get("email")) or email_of(holder.get("email_address"))
            if email:
                return email
    return ""


def email_of(value: Any) -> str:
    """The value as a normalised address, or "" when it is none."""
    if type(value) is not str or "@" not in value or len(value) > LONGEST_EMAIL:
        return ""
    return normalised(value)


def _profile(traits: dict) -> dict[str, str]:
    profile = {
        name: text[: _LONGEST[name]]
        for name, keys in _PROFILE.items()
        if (text := _first_text(traits, keys))
    }
    full = _first_text(traits, ("name", "full_name", "fullname"))
    if full and "first_name" not in profile and "last_name" not in profile:
        first, _space, last = full.partition(" ")
        profile |= {"first_name": first[:100], "last_name": last.strip()[:100]}
    profile["company"] = _company(traits)[:200]
    profile["country"] = _country(traits)
    return {name: text for name, text in profile.items() if text}


def _company(traits: dict) -> str:
    company = traits.get("company")
    if isinstance(company, dict):
        return _first_text(company, ("name",))
    return _first_text(traits, ("company", "company_name", "organization", "organisation"))


def _country(traits: dict) -> str:
    said = _first_text(traits, ("country", "country_code"))
    return country_code(said or _first_text(_object(traits.get("address")), ("country",)))


@lru_cache(maxsize=1024)
def country_code(text: str) -> str:
    """The ISO 3166 code of a code or an English name; "" when it is neither."""
    text = text.strip()
    if text.lower() in _COUNTRY_NAMES:
        return _COUNTRY_NAMES[text.lower()]
    if re.fullmatch(r"[A-Za-z]{2,3}", text):
        return countries.alpha2(text.upper()) or ""
    return countries.by_name(text, insensitive=True) if text else ""


def _first_text(holder: dict, keys: tuple[str, ...]) -> str:
    for key in keys:
        value = holder.get(key)
        if isinstance(value, str) and value.strip():
            return " ".join(value.split())
    return ""


def _object(value: Any) -> dict:
    return value if isinstance(value, dict) else {}


def _is_yes(value: Any) -> bool:
    if isinstance(value, dict):  # {"mail": true}
        return any(_is_yes(part) for part in list(value.values())[:10])
    return value is True or value == 1 or (isinstance(value, str) and value.lower() in _YES)
