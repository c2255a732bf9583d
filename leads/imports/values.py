"""From the text of a cell to a value of a field's kind; None when it cannot be read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from django.utils.translation import override
from django_countries import countries

from leads.channels import Channel

DECIMAL_POINT, DECIMAL_COMMA = ".", ","

_CURRENCY = r"(?:[A-Z]{3}|[€$£¥₩])?"
_MONEY = re.compile(rf"^{_CURRENCY}\s*([+-]?)\s*{_CURRENCY}\s*(.*?)\s*{_CURRENCY}%?$")
# Thousands are set apart by the other mark, an apostrophe or a blank of any width.
_BLANKS = "'’ \u00a0\u202f"
_GROUPS = {
    DECIMAL_POINT: re.compile(rf"^\d{{1,3}}(?:[,{_BLANKS}]\d{{3}})+(?:\.\d+)?$|^\d*\.?\d+$"),
    DECIMAL_COMMA: re.compile(rf"^\d{{1,3}}(?:[.{_BLANKS}]\d{{3}})+(?:,\d+)?$|^\d*,?\d+$"),
}
_YES = frozenset(("1", "true", "yes", "y", "t", "on", "x", "✓", "ja", "sim", "예", "네"))
_NO = frozenset(("0", "false", "no", "n", "f", "off", "nein", "não", "아니요", "아니오"))
_NOT_LETTERS = re.compile(r"[\W_]+")


def folded(text: str) -> str:
    """A name for comparing: lower case, without blanks and punctuation (`GTX-Pro` = `gtxpro`)."""
    return _NOT_LETTERS.sub("", text.casefold())


@lru_cache(maxsize=8192)
def marks_that_fit(text: str) -> frozenset[str] | None:
    """The decimal marks with which `text` is a number; None when it is none either way."""
    digits = _digits(text)
    fits = frozenset(m for m, pattern in _GROUPS.items() if digits and pattern.match(digits[1]))
    return fits or None


def needs_mark(text: str) -> bool:
    """Whether a number is another one with another decimal mark (`1,054`; `1054` is not)."""
    return read_number(text, DECIMAL_POINT) != read_number(text, DECIMAL_COMMA)


def marks_of_column(values: Iterable[str]) -> frozenset[str] | None:
    """The decimal marks that fit every number of a column; None without numbers."""
    remaining: frozenset[str] | None = None
    for value in values:
        if fits := marks_that_fit(value):
            remaining = fits if remaining is None else remaining & fits
    return remaining


def read_number(text: str, decimal_mark: str = DECIMAL_POINT) -> Decimal | None:
    """`1,054.50`, `$ 1 054`, `-3` with a point; `1.054,50` with a comma; None without either."""
    digits = _digits(text) if decimal_mark else None
    if not digits or not _GROUPS[decimal_mark].match(digits[1]):
        return None
    sign, body = digits
    kept = re.sub(rf"[^\d{re.escape(decimal_mark)}]", "", body).replace(decimal_mark, ".")
    try:
        number = Decimal(sign + kept)
    except InvalidOperation:
        return None
    return number if abs(number) < Decimal(10) ** 15 else None


def _digits(text: str) -> tuple[str, str] | None:
    """(sign, digits with their marks), without a currency around them."""
    if len(text) > 40 or not any(c.isdigit() for c in text):
        return None
    match = _MONEY.match(text)
    return (match[1], match[2]) if match else None


def read_boolean(text: str) -> bool | None:
    word = text.strip().casefold()
    return True if word in _YES else False if word in _NO else None


@lru_cache(maxsize=1024)
def read_country(text: str) -> str | None:
    """The two-letter code of a country given by code (2 or 3 letters) or English name."""
    code = countries.alpha2(text.strip().upper())
    if code:
        return code
    return _country_names().get(folded(text))


@lru_cache(maxsize=1)
def _country_names() -> dict[str, str]:
    with override("en"):
        names = {folded(str(name)): code for code, name in countries}
    return names | {
        "usa": "US",
        "unitedstates": "US",
        "uk": "GB",
        "greatbritain": "GB",
        "england": "GB",
        "southkorea": "KR",
        "korea": "KR",
        "대한민국": "KR",
        "한국": "KR",
        "russia": "RU",
        "vietnam": "VN",
        "uae": "AE",
        "deutschland": "DE",
        "brasil": "BR",
        "czechrepublic": "CZ",
        "hongkongsar": "HK",
    }


# What other systems call our channels.
_CHANNEL_WORDS = {
    "social": Channel.ORGANIC_SOCIAL,
    "socialmedia": Channel.ORGANIC_SOCIAL,
    "socialorganic": Channel.ORGANIC_SOCIAL,
    "socialpaid": Channel.PAID_SOCIAL,
    "directtraffic": Channel.DIRECT,
    "organic": Channel.ORGANIC_SEARCH,
    "google": Channel.ORGANIC_SEARCH,
    "bing": Channel.ORGANIC_SEARCH,
    "adwords": Channel.PAID_SEARCH,
    "googleads": Channel.PAID_SEARCH,
    "payperclickads": Channel.PAID_SEARCH,
    "emailmarketing": Channel.EMAIL,
    "referral": Channel.WEB_REFERRAL,
    "referrals": Channel.WEB_REFERRAL,
    "referralsites": Channel.WEB_REFERRAL,
    "reference": Channel.CUSTOMER_REFERRAL,
    "customerreferral": Channel.CUSTOMER_REFERRAL,
    "employeereferral": Channel.CUSTOMER_REFERRAL,
    "externalreferral": Channel.CUSTOMER_REFERRAL,
    "wordofmouth": Channel.CUSTOMER_REFERRAL,
    "tradeshow": Channel.EVENT,
    "seminarinternal": Channel.EVENT,
    "seminarpartner": Channel.EVENT,
    "webinar": Channel.EVENT,
    "phoneinquiry": Channel.OFFLINE,
    "offlinesources": Channel.OFFLINE,
    "purchasedlist": Channel.OFFLINE,
    "partner": Channel.AFFILIATE,
    "facebook": Channel.ORGANIC_SOCIAL,
    "linkedin": Channel.ORGANIC_SOCIAL,
    "othercampaigns": Channel.OTHER,
    "otherpublicities": Channel.OTHER,
}


@lru_cache(maxsize=1024)
def read_channel(text: str) -> str | None:
    """One of our channels, by its own name, its label or what other systems call it."""
    word = folded(text)
    for channel in Channel:
        with override("en"):
            if word in (folded(channel.value), folded(str(channel.label))):
                return channel.value
    known = _CHANNEL_WORDS.get(word)
    return known.value if known else None


def as_json(value: Any) -> Any:
    """A custom field's value as JSON keeps it; see leads/custom_fields.py."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value
