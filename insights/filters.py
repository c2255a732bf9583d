"""What the funnel is narrowed to: a period, two windows, a segment. It lives in the address.

Nothing a reader can type is an error: what makes no sense is told in a sentence
and replaced by its default.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, lru_cache
from urllib.parse import urlencode

from django.utils.translation import gettext as _

from insights.periods import (
    DEFAULT_PRESET,
    FOREVER,
    PRESETS,
    Period,
    custom_period,
    preset_period,
)
from leads.channels import Channel
from leads.countries import countries

WINDOWS = (14, 30, 60, 90, 180, 365)
DEFAULT_WINDOW = 90
DEFAULT_HORIZON = 180
DIMENSIONS = ("channel", "source", "country", "owner")
# In an address: leads of which this is not known.
NOT_SET = "(not set)"


@dataclass(frozen=True)
class Filters:
    """`window` days for one step, `horizon` days from the first contact to any stage.

    `segment` holds the chosen value of each narrowed dimension; "" is "not set".
    """

    period: Period
    window: int = DEFAULT_WINDOW
    horizon: int = DEFAULT_HORIZON
    segment: dict[str, str] = field(default_factory=dict)
    problems: tuple[str, ...] = ()

    def params(self) -> dict[str, str]:
        """As address parameters; defaults are left out."""
        params = {}
        if self.period.preset != DEFAULT_PRESET:
            params["period"] = self.period.preset or "custom"
        if not self.period.preset:
            params["from"] = self.period.from_on.isoformat()
            if self.to_on:
                params["to"] = self.to_on.isoformat()
        if self.window != DEFAULT_WINDOW:
            params["window"] = str(self.window)
        if self.horizon != DEFAULT_HORIZON:
            params["horizon"] = str(self.horizon)
        return params | {name: value or NOT_SET for name, value in self.segment.items()}

    @cached_property
    def _query(self) -> str:
        return urlencode(self.params())

    def query(self, **more: str) -> str:
        """The query string, with further parameters; empty ones are left out."""
        wanted = _encoded(tuple(more.items()))
        return f"{self._query}&{wanted}" if self._query and wanted else self._query or wanted

    def within(self, period: Period) -> Filters:
        return replace(self, period=period)

    @property
    def to_on(self) -> date | None:
        """The last day of a custom period that does not run on."""
        return None if self.period.until_on == FOREVER else self.period.last_on(FOREVER)

    @property
    def is_narrowed(self) -> bool:
        return bool(self.segment)


@lru_cache(maxsize=1024)
def _encoded(pairs: tuple[tuple[str, str], ...]) -> str:
    """A page says the same few things hundreds of times, in links to the leads of its figures."""
    return urlencode([(name, value) for name, value in pairs if value])


def read_filters(params: Mapping[str, str], today: date) -> Filters:
    """Read address parameters. What is not understood is named in `problems`."""
    problems: list[str] = []
    period = _read_period(params, today, problems)
    window = _read_days(params, "window", DEFAULT_WINDOW, problems)
    horizon = _read_days(params, "horizon", DEFAULT_HORIZON, problems)
    segment = {
        name: value
        for name in DIMENSIONS
        if (value := _read_dimension(name, params.get(name, ""), problems)) is not None
    }
    return Filters(period, window, horizon, segment, tuple(problems))


def _read_period(params: Mapping[str, str], today: date, problems: list[str]) -> Period:
    preset = params.get("period", "")
    if preset in PRESETS:
        return preset_period(preset, today)
    if preset == "custom" or (not preset and (params.get("from") or params.get("to"))):
        from_on = _read_day(params.get("from", ""), problems)
        to_on = _read_day(params.get("to", ""), problems) or today
        if from_on and from_on <= to_on:
            return custom_period(from_on, to_on, today)
        if from_on:
            problems.append(_("The period ends before it begins; the last 12 months are shown."))
        else:
            problems.append(_("A period of your own needs a first day; 12 months are shown."))
    elif preset:
        problems.append(
            _("“%(value)s” is not a period; the last 12 months are shown.") % {"value": preset[:40]}
        )
    return preset_period(DEFAULT_PRESET, today)


def _read_day(text: str, problems: list[str]) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        problems.append(_("“%(value)s” is not a day; write 2026-03-31.") % {"value": text[:40]})
        return None


def _read_days(params: Mapping[str, str], name: str, default: int, problems: list[str]) -> int:
    text = params.get(name, "")
    if not text or text in {str(days) for days in WINDOWS}:
        return int(text or default)
    problems.append(
        _("A window of “%(value)s” days is not offered; %(default)s days are used.")
        % {"value": text[:40], "default": default}
    )
    return default


def _read_dimension(name: str, text: str, problems: list[str]) -> str | None:
    """The value as roll-ups know it, or None for all."""
    if not text:
        return None
    if text == NOT_SET and name != "channel":
        return ""
    if _IS_POSSIBLE[name](text):
        return text
    sentences = {
        "channel": _("“%(value)s” is not a channel; all channels are shown."),
        "source": _("“%(value)s” is not a source; all sources are shown."),
        "country": _("“%(value)s” is not a country; all countries are shown."),
        "owner": _("“%(value)s” is not an owner; the leads of all owners are shown."),
    }
    problems.append(sentences[name] % {"value": text[:40]})
    return None


_IS_POSSIBLE = {
    "channel": lambda text: text in Channel.values,
    "source": lambda text: len(text) <= 100 and "\0" not in text,
    "country": lambda text: text.isupper() and len(text) == 2 and bool(countries.name(text)),
    "owner": lambda text: text.isascii() and text.isdecimal() and len(text) <= 18,
}
