"""What may be shown of a message: no write key, no IP address, no passwords; nothing endless."""

from __future__ import annotations

import json
import re
from typing import Any

from tracking.clean import clean

LARGEST = 8_000  # characters of JSON

_SECRET_NAME = re.compile(r"pass(word|wd|phrase)|secret|token|authori[sz]ation|api_?key|cvc|card")
_SECRET_TEXT = re.compile(r"\bsk_[A-Za-z0-9_-]{8,}")
_HIDDEN = "•••"


def presentable(message: Any) -> Any:
    """The message, cleaned like an event. None when it is too large to be of use."""
    cleaned = _without_secrets(clean(message))
    if isinstance(cleaned, dict):
        cleaned.pop("write_key", None)
        if isinstance(cleaned.get("context"), dict):
            cleaned["context"].pop("ip", None)
    return cleaned if len(json.dumps(cleaned)) <= LARGEST else None


def _without_secrets(value: Any) -> Any:
    """`value` is cleaned, so it is shallow enough to walk."""
    if isinstance(value, str):
        return _SECRET_TEXT.sub(_HIDDEN, value)
    if isinstance(value, list):
        return [_without_secrets(item) for item in value]
    if isinstance(value, dict):
        return {
            key: _HIDDEN if _SECRET_NAME.search(key) and item else _without_secrets(item)
            for key, item in value.items()
        }
    return value
