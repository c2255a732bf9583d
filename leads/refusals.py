"""How a write says no: with a whole sentence that a person can act on."""

from __future__ import annotations


class Refused(Exception):
    """The write is not allowed. `str(error)` is the sentence to show; HTTP 422."""


class Conflict(Refused):
    """Somebody else was faster; HTTP 409."""
