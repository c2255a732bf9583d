"""The one clean-up of every document that somebody outside sends us.

What comes out is plain JSON that PostgreSQL stores without complaint: bounded in
depth, size and text, free of NUL, control characters and broken Unicode, with
finite numbers. It never raises on anything that json.loads can return.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import Any

from tracking.events import snake_case

DEEPEST = 10  # levels of lists and objects; what lies deeper becomes null
MOST_NODES = 500  # values in one document; what comes after is left out
LONGEST_TEXT = 4_000  # characters of one text
LONGEST_KEY = 100  # characters of a key
# Beyond this a number is not exact in the browsers and readers of the world.
LARGEST_INTEGER = 2**53

_UNWANTED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


def clean(document: Any) -> Any:
    """The document with the limits above; keys become snake_case, as JSON columns hold them."""
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


def _key(key: object) -> str:
    return _known_key(str(key)[:LONGEST_KEY])


@lru_cache(maxsize=8192)
def _known_key(key: str) -> str:
    return snake_case(_text(key, LONGEST_KEY))


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
    for key, item in value.items():
        if budget[0] <= 0:
            break
        name = _known_key(key) if len(key) <= LONGEST_KEY else _key(key)
        # Most values are short plain texts: they take the short way.
        if type(item) is str and len(item) <= LONGEST_TEXT and item.isascii():
            budget[0] -= 1
            out[name] = item if item.isprintable() else _text(item)
        else:
            out[name] = _value(item, depth - 1, budget)
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
