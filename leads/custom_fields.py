"""Fields of an organisation's own: typed, and validated by every writer alike.

Values stand in Lead.custom / Account.custom as JSON: text and choice as string,
number as number, date as "YYYY-MM-DD", yes or no as true or false. A value that
is not known is not there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import date

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from leads.models import CustomField
from leads.refusals import Refused

LONGEST_TEXT = 1_000
YES = frozenset({"true", "yes", "y", "1", "on", "예", "ja", "oui", "sí", "si"})
NO = frozenset({"false", "no", "n", "0", "off", "아니오", "아니요", "nein", "non"})

JsonValue = str | int | float | bool


def definitions(target: str = CustomField.Target.LEAD) -> list[CustomField]:
    """The fields that leads or accounts have here, in the order of the forms."""
    return list(CustomField.objects.filter(target=target))


def clean_values(fields: list[CustomField], raw: dict[str, object]) -> dict[str, JsonValue]:
    """Check values by key and type; blank ones are left out.

    Raises Refused for an unknown key or a value of the wrong type.
    """
    known = {field.key: field for field in fields}
    unknown = [key for key in raw if key not in known]
    if unknown:
        raise Refused(_("There is no field “%(key)s”.") % {"key": str(unknown[0])[:50]})
    cleaned = {key: clean_value(known[key], value) for key, value in raw.items()}
    return {key: value for key, value in cleaned.items() if value is not None}


def clean_value(field: CustomField, raw: object) -> JsonValue | None:
    """One value as JSON; None when blank. Raises Refused with what would be right."""
    if raw is None or (isinstance(raw, str) and not raw.strip()):
        return None
    try:
        return _CLEANERS[field.kind](field, raw)
    except (ValueError, TypeError, OverflowError):
        raise Refused(
            _("%(label)s: “%(value)s” is not %(wanted)s.")
            % {"label": field.label, "value": str(raw)[:50], "wanted": _wanted(field)}
        ) from None


def show_value(field: CustomField, value: object) -> str:
    """A stored value in words, for a page."""
    if value in (None, ""):
        return ""
    if field.kind == CustomField.Kind.BOOLEAN:
        return _("yes") if value else _("no")
    if field.kind == CustomField.Kind.DATE:
        return date_format(date.fromisoformat(str(value)), "DATE_FORMAT")
    if field.kind == CustomField.Kind.NUMBER and isinstance(value, int | float):
        return number_format(value, use_l10n=True, force_grouping=True)
    return str(value)


def _text(field: CustomField, raw: object) -> str:
    text = str(raw).strip()
    if len(text) > LONGEST_TEXT:
        raise ValueError
    return text


def _number(field: CustomField, raw: object) -> int | float:
    if isinstance(raw, bool):
        raise ValueError
    number = float(str(raw).strip().replace(" ", ""))
    if not math.isfinite(number):
        raise ValueError
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _date(field: CustomField, raw: object) -> str:
    return date.fromisoformat(str(raw).strip()[:10]).isoformat()


def _boolean(field: CustomField, raw: object) -> bool:
    text = str(raw).strip().lower()
    if text not in YES | NO:
        raise ValueError
    return text in YES


def _choice(field: CustomField, raw: object) -> str:
    text = str(raw).strip()
    for choice in field.choices:
        if str(choice).casefold() == text.casefold():
            return str(choice)
    raise ValueError


_CLEANERS: dict[str, Callable[[CustomField, object], JsonValue]] = {
    CustomField.Kind.TEXT: _text,
    CustomField.Kind.NUMBER: _number,
    CustomField.Kind.DATE: _date,
    CustomField.Kind.BOOLEAN: _boolean,
    CustomField.Kind.CHOICE: _choice,
}


def _wanted(field: CustomField) -> str:
    if field.kind == CustomField.Kind.CHOICE:
        return _("one of: %(choices)s") % {"choices": ", ".join(map(str, field.choices))}
    return {
        CustomField.Kind.TEXT: _("a text of at most %(n)s characters") % {"n": LONGEST_TEXT},
        CustomField.Kind.NUMBER: _("a number"),
        CustomField.Kind.DATE: _("a date like 2026-01-31"),
        CustomField.Kind.BOOLEAN: _("yes or no"),
    }[CustomField.Kind(field.kind)]
