"""What countries are called in the reader's language.

django-countries knows the countries and their English names, but not every language;
Unicode's names (CLDR, by Babel) step in for the others.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

from babel import Locale, UnknownLocaleError
from django.utils.translation import get_language
from django_countries import Countries as EnglishCountries
from django_countries import CountryTuple


class Countries(EnglishCountries):
    """All countries, named and sorted in the language of the moment."""

    def translate_pair(self, code: str, name: Any = None) -> CountryTuple:
        own = _names(get_language() or "en").get(code)
        return CountryTuple(code, own) if own else super().translate_pair(code, name)

    def __iter__(self) -> Iterator[CountryTuple]:
        """Sorted by name: the order of code points is the alphabet's in Korean."""
        rows = super().__iter__()
        if _names(get_language() or "en"):
            return iter(sorted(rows, key=lambda row: row.name))
        return rows


@cache
def _names(language: str) -> dict[str, str]:
    """Names by code; empty for English and for languages that nobody knows."""
    if language.startswith("en"):
        return {}
    try:
        return dict(Locale.parse(language, sep="-").territories)
    except (UnknownLocaleError, ValueError):
        return {}


countries = Countries()
