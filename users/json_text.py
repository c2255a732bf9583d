"""JSON that people type into a form: it is read or refused, whatever it is."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput

_LONGEST_NUMBER = 1_000  # digits; Python reads no more than 4,300


class _Decoder(json.JSONDecoder):
    """Raises ValueError for numbers that no database keeps; NaN and Infinity are no JSON."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, parse_int=_integer, parse_constant=_refuse)


def _integer(digits: str) -> int:
    return int(digits) if len(digits) <= _LONGEST_NUMBER else _refuse(digits)


def _refuse(_text: str) -> Any:
    raise ValueError


class JSONText(forms.JSONField):
    """Django's field, which knows of no numbers too long and no brackets too deep."""

    def __init__(self, *, decoder: type[json.JSONDecoder] | None = None, **options: Any) -> None:
        super().__init__(decoder=decoder or _Decoder, **options)

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except (ValueError, RecursionError):
            raise ValidationError(
                self.error_messages["invalid"], code="invalid", params={"value": value}
            ) from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What is shown again after a refusal is what was typed."""
        try:
            return super().bound_data(data, initial)
        except (ValueError, RecursionError):
            return InvalidJSONInput(data)
