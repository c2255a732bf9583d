"""When something happened, told by clocks that nobody can trust.

    occurred_at = the message's own time + (received_at − sent_at)

The bracket is what the sender's clock is wrong by, plus the travel time; a few seconds
are taken for travel alone, so that two requests which overtake each other change no
order. Nothing ever happened in the future, and what cannot be read happened when we
received it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

# No tracker is older: an earlier time is a clock that was never set.
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
# No browser remembers longer who it is (13 months, as its cookie), and anybody can send what one
# sends: an earlier time would rewrite history.
LONGEST_MEMORY = timedelta(days=395)
NO_TIME, TRAVEL = timedelta(), timedelta(seconds=10)
_MILLISECONDS_FROM = 100_000_000_000  # as seconds, that would be the year 5138


class Instants(NamedTuple):
    """Both in UTC; `sent_at` is None when the sender did not say."""

    occurred_at: datetime
    sent_at: datetime | None


def settle(
    timestamp: Any, sent_at: Any, received_at: datetime, *, is_trusted: bool = True
) -> Instants:
    """Work out when a message's event happened. Takes anything and never fails."""
    said, sent = read_instant(timestamp), read_instant(sent_at)
    if said is None:
        return Instants(received_at, sent)
    try:
        occurred = said if sent is None else _set_right(said, received_at - sent)
    except OverflowError:
        return Instants(received_at, sent)
    earliest = EARLIEST if is_trusted else received_at - LONGEST_MEMORY
    if not earliest <= occurred <= received_at:
        occurred = received_at
    return Instants(occurred, sent)


def _set_right(said: datetime, skew: timedelta) -> datetime:
    return said if NO_TIME <= skew <= TRAVEL else said + skew


def read_instant(value: Any) -> datetime | None:
    """An instant out of ISO 8601 text or a number of (milli)seconds since 1970.

    Without an offset it is taken as UTC. None when it is neither.
    """
    try:
        if type(value) is str:
            return _from_text(value)
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return _from_number(value)
    except (ValueError, OverflowError, OSError):
        return None
    return None


def _from_text(text: str) -> datetime | None:
    text = text.strip()[:64]
    if text[4:5] != "-" and len(text) > 8 and text.replace(".", "", 1).isdigit():
        return _from_number(float(text))
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is UTC:
        return instant
    if instant.tzinfo is None:
        return instant.replace(tzinfo=UTC)
    return instant.astimezone(UTC)


def _from_number(number: float) -> datetime:
    seconds = number / 1000 if abs(number) >= _MILLISECONDS_FROM else number
    return datetime.fromtimestamp(seconds, UTC)
