"""The one clean-up of every document that somebody outside sends us.

What comes out is plain JSON that PostgreSQL stores without complaint: bounded in
depth, size and text, free of NUL, control characters, marks that change the direction
of writing, and broken Unicode, with finite numbers. It never raises on anything that
json.loads can return.
"""

from __future__ import annotations

import math
import re
from typing import Any

from tracking.events import snake_case

DEEPEST = 10  # levels of lists and objects; what lies deeper becomes null
MOST_NODES = 500  # values in one document; what comes after is left out
LONGEST_TEXT = 4_000  # characters of one text
LONGEST_KEY = 100  # characters of a key
MOST_NAMES = 8_192  # keys whose clean names are remembered
# Beyond this a number is not exact in the browsers and readers of the world.
LARGEST_INTEGER = 2**53

# Marks that turn what follows around, beyond their text: a name must not rewrite a page.
_TURNING = "\u202a-\u202e\u2066-\u2069"
_UNWANTED = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{_TURNING}\ud800-\udfff]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f{_TURNING}]")


def clean(document: Any) -> Any:
    """The document with the limits above; keys become snake_case, as JSON columns hold them."""
    if type(document) is dict:
        return _object(document, DEEPEST, [MOST_NODES - 1])
    return _value(document, DEEPEST, [MOST_NODES])


def clean_text(value: Any, longest: int = LONGEST_TEXT) -> str:
    """One text of at most `longest` characters out of anything; "" for null and containers."""
    if type(value) is str:
        return _text(value, longest)
    if value is None or isinstance(value, (dict, list, bool)):
        return ""
    return _text(str(clean(value) or ""), longest)


def read_integer(digits: str) -> int | str:
    """How json.loads should read whole numbers: absurdly long ones stay text."""
    return int(digits) if len(digits) < 20 else digits


def _text(text: str, longest: int = LONGEST_TEXT) -> str:
    if len(text) > longest:
        text = text[:longest]
    if text.isprintable():  # nothing unwanted is
        return text
    if _UNWANTED.search(text):
        text = _LONE_SURROGATE.sub("\N{REPLACEMENT CHARACTER}", _CONTROL.sub("", text))
    return text


class _Names(dict[str, str]):
    """What keys are called once they are clean; those of the world's events are few."""

    def __missing__(self, key: str) -> str:
        name = snake_case(_text(key, LONGEST_KEY))
        if len(key) <= LONGEST_KEY:
            if len(self) >= MOST_NAMES:
                self.clear()
            self[key] = name
        return name


_names = _Names()


def _value(value: Any, depth: int, budget: list[int]) -> Any:
    budget[0] -= 1
    kind = type(value)
    if kind is str:
        return _text(value)
    if kind is dict:
        return _object(value, depth, budget)
    if kind is list:
        return _list(value, depth, budget)
    if value is None or kind is bool:
        return value
    return _number(value)


def _object(value: dict, depth: int, budget: list[int]) -> dict | None:
    if depth == 0:
        return None
    out = {}
    left = budget[0]
    for key, item in value.items():
        if left <= 0:
            break
        # Most values are short plain texts: they take the short way.
        if type(item) is str:
            left -= 1
            is_plain = len(item) <= LONGEST_TEXT and item.isprintable()
            out[_names[key]] = item if is_plain else _text(item)
        else:
            budget[0] = left
            out[_names[key]] = _value(item, depth - 1, budget)
            left = budget[0]
    budget[0] = left
    return out


def _list(value: list, depth: int, budget: list[int]) -> list | None:
    if depth == 0:
        return None
    out = []
    for item in value:
        if budget[0] <= 0:
            break
        out.append(_value(item, depth - 1, budget))
    return out


def _number(value: Any) -> Any:
    if type(value) is float:
        return value if math.isfinite(value) else None
    if type(value) is not int:
        return _text(str(value))
    if -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
        return value
    # str() refuses integers of more than 4,300 digits.
    return str(value) if value.bit_length() < 10_000 else "…"
