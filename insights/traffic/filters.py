"""What the page “Traffic” is narrowed to. It lives in the address, like that of the funnel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from insights.filters import NOT_SET, read_filters
from insights.periods import FOREVER, Period
from leads.channels import Channel

DEFAULT_PERIOD = "30d"
BREAKDOWNS = ("channel", "source", "campaign")
SEGMENT = ("channel", "source", "campaign")
PAGE_ORDERS = ("visits", "engaged_ms", "qualified", "mql", "customer")
LONGEST = {"channel": 30, "source": 100, "campaign": 200}


@dataclass(frozen=True)
class TrafficFilters:
    """`segment` holds the chosen values, "" meaning that none was named."""

    period: Period
    segment: dict[str, str]
    by: str = "channel"
    order: str = "visits"
    problems: tuple[str, ...] = ()

    def params(self) -> dict[str, str]:
        """As address parameters; defaults are left out."""
        params = {}
        if self.period.preset != DEFAULT_PERIOD:
            params["period"] = self.period.preset or "custom"
        if not self.period.preset:
            params["from"] = self.period.from_on.isoformat()
            if self.period.until_on != FOREVER:
                params["to"] = self.period.last_on(FOREVER).isoformat()
        if self.by != "channel":
            params["by"] = self.by
        if self.order != "visits":
            params["order"] = self.order
        return params | {name: value or NOT_SET for name, value in self.segment.items()}

    def query(self, **more: str) -> str:
        """The query string with further parameters, which win; empty ones are left out."""
        wanted = self.params() | more
        return urlencode({name: value for name, value in wanted.items() if value})

    def within(self, **segment: str) -> TrafficFilters:
        return replace(self, segment=self.segment | segment)


def read_traffic_filters(params: Mapping[str, str], today: date) -> TrafficFilters:
    """Read address parameters. What is not understood is named in `problems`."""
    given = {name: params.get(name, "") for name in ("period", "from", "to")}
    if not any(given.values()):
        given["period"] = DEFAULT_PERIOD
    read = read_filters(given, today)
    problems = list(read.problems)
    segment = {}
    for name in SEGMENT:
        value = _read_segment(name, params.get(name, ""), problems)
        if value is not None:
            segment[name] = value
    return TrafficFilters(
        read.period,
        segment,
        _one_of(params.get("by", ""), BREAKDOWNS),
        _one_of(params.get("order", ""), PAGE_ORDERS),
        tuple(problems),
    )


def _one_of(text: str, allowed: tuple[str, ...]) -> str:
    return text if text in allowed else allowed[0]


def _read_segment(name: str, text: str, problems: list[str]) -> str | None:
    if not text:
        return None
    if text == NOT_SET and name != "channel":
        return ""
    if len(text) > LONGEST[name] or "\0" in text or (name == "channel" and not _is_channel(text)):
        sentence = _("“%(value)s” is nothing that visits have; it narrows nothing.")
        problems.append(sentence % {"value": text[:40].replace("\0", "")})
        return None
    return text


def _is_channel(text: str) -> bool:
    return text in Channel.values
