"""The instant that somebody asks a score for, and by whose rules."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode

from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import get_default_timezone, is_naive, make_aware, now
from django.utils.translation import gettext as _

from leads.refusals import Refused

EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)


@dataclass(frozen=True)
class Asked:
    """A score at an instant (None: the current one), by the rules of then or by those of today."""

    as_of: datetime | None = None
    by_today: bool = False

    @property
    def query(self) -> str:
        """The same question as a query string; empty for the current score."""
        at = {"as_of": self.as_of.isoformat()} if self.as_of else {}
        return urlencode(at | ({"rules": "today"} if self.by_today else {}))


def read_asked(as_of: str, rules: str) -> Asked:
    """What was asked for in texts. `rules`: "today", "then", or empty, which is "then".

    Raises Refused as `read_instant` does, and for other rules.
    """
    if rules not in ("", "then", "today"):
        sentence = _("“%(text)s” are no rules. Write “then” or “today”.")
        raise Refused(sentence % {"text": rules[:50]})
    return Asked(read_instant(as_of), rules == "today")


def read_instant(text: str) -> datetime | None:
    """A day (its end, or now if that is today) or an instant, ISO 8601; None for an empty text.

    Without a zone it is in the reporting time zone. Raises Refused for what is no instant, lies
    in the future, or before 1970.
    """
    text = text.strip()
    if not text:
        return None
    at = _parse(text)
    if at is None:
        sentence = _("“%(text)s” is no day. Write 2026-01-31 or 2026-01-31T14:30:00Z.")
        raise Refused(sentence % {"text": text[:50]})
    if at < EARLIEST:
        raise Refused(_("Nothing is known of the time before 1970."))
    latest = now()
    is_today = len(text) <= len("2026-01-31") and at.date() == latest.astimezone(at.tzinfo).date()
    if at > latest and not is_today:
        raise Refused(_("The future is not known yet: choose a day up to today."))
    return min(at, latest)


def _parse(text: str) -> datetime | None:
    try:
        day = parse_date(text) if len(text) <= len("2026-01-31") else None
        at = datetime(day.year, day.month, day.day, 23, 59, 59) if day else parse_datetime(text)
        if at is None:
            return None
        return make_aware(at, get_default_timezone()) if is_naive(at) else at.astimezone(UTC)
    except (ValueError, OverflowError):  # 2026-02-30, or a year that clocks do not know
        return None
