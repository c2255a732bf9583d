"""Which channel a visit came through, and why: the first rule that fits decides.

Rules are rows (tracking/channel_models.py). What stands in a link (UTM values, click
ids) comes before what the browser says (the referrer) because the rules are in that
order, not because this file says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol
from urllib.parse import parse_qsl

from leads.channels import Channel
from tracking.channel_models import Operator, Subject

# Parameters that advertising networks append to links.
CLICK_IDS = (
    "gclid", "gbraid", "wbraid", "dclid", "msclkid", "li_fat_id", "ttclid", "twclid", "rdt_cid",
    "epik", "fbclid", "yclid", "irclickid",
)  # fmt: skip
_MARKED = re.compile(r"[?&](?:utm_(?:source|medium|campaign)|" + "|".join(CLICK_IDS) + ")=")
_SPACING = re.compile(r"[\s_\-+]+")
LONGEST_HOST = 100


class Touch(NamedTuple):
    """Where a visit came from; texts cut to the columns they go into."""

    channel: str
    source: str = ""
    medium: str = ""
    campaign: str = ""


class Arrival(NamedTuple):
    """What there is to judge by. `referrer` is a host, "" when it is our own or none."""

    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    click_id: str = ""
    referrer: str = ""
    landing_path: str = ""

    @property
    def has_utm(self) -> bool:
        return bool(self.utm_source or self.utm_medium or self.utm_campaign)

    @property
    def mark(self) -> tuple[str, str, str, str]:
        """What makes another campaign: the part that a link carries. All "" when it is plain."""
        return self[:4]


class Rule(Protocol):
    """A row of ChannelRule, or something that looks like one."""

    @property
    def subject(self) -> str: ...
    @property
    def operator(self) -> str: ...
    @property
    def values(self) -> Sequence[str]: ...
    @property
    def also_subject(self) -> str: ...
    @property
    def also_operator(self) -> str: ...
    @property
    def also_values(self) -> Sequence[str]: ...
    @property
    def channel(self) -> str: ...
    @property
    def source(self) -> str: ...
    @property
    def medium(self) -> str: ...


class Decision(NamedTuple):
    """The touch, the rule that decided (None: nothing was known, so direct), and the words of
    the arrival that its conditions fitted."""

    touch: Touch
    rule: Rule | None
    fitted: tuple[str, ...] = ()


def read_arrival(url: str, referrer: str, campaign: Mapping | None = None) -> Arrival:
    """What a page view tells. `campaign` is Segment's context.campaign, if sent."""
    query = _query(url) if is_marked(url) else {}
    host, from_host = _host(url), _host(referrer)
    return Arrival(
        *_utm(campaign or {}, query),
        next((name for name in query if name in CLICK_IDS), ""),
        "" if from_host == host else from_host[:LONGEST_HOST],
        _path(url),
    )


def is_marked(url: str) -> bool:
    """Whether the address carries a UTM value or a click id."""
    return "?" in url and _MARKED.search(url) is not None


def decide(arrival: Arrival, rules: Sequence[Rule]) -> Decision:
    """The first rule all of whose conditions hold."""
    for rule in rules:
        fitted = _fits(arrival, rule)
        if fitted:
            return Decision(_touch(arrival, rule, fitted), rule, fitted)
    if arrival.has_utm:
        return Decision(_of_link(arrival, Channel.OTHER), None)
    return Decision(Touch(Channel.DIRECT.value), None)


def classify(url: str, referrer: str, campaign: Mapping | None = None) -> Touch:
    """The touch of a visit to `url` by the rules in force."""
    from tracking import channel_rules

    return decide(read_arrival(url, referrer, campaign), channel_rules.current()).touch


def names_domain(host: str, value: str) -> bool:
    """Whether `host` (or a source such as “linkedin”) goes by this name.

    A name without a dot is any label but the last: google is www.google.com. With dots it is the
    host itself or its beginning or end: mail.google is mail.google.com.
    """
    if host == value:
        return True
    if "." in value:
        return host.startswith(f"{value}.") or host.endswith(f".{value}")
    return value in host.split(".")[:-1]


def plain(text: str) -> str:
    """For comparing: lower case, and one blank for whatever separates words."""
    return _SPACING.sub(" ", text.lower()).strip()


def _fits(arrival: Arrival, rule: Rule) -> tuple[str, ...]:
    """What fitted each condition; () when one does not hold."""
    first = _fitting(arrival, rule.subject, rule.operator, rule.values)
    if not first:
        return ()
    if not rule.also_subject:
        return (first,)
    second = _fitting(arrival, rule.also_subject, rule.also_operator, rule.also_values)
    return (first, second) if second else ()


def _fitting(arrival: Arrival, subject: str, operator: str, values: Sequence[str]) -> str:
    """The value that the subject fits, or the subject itself if it need only be there."""
    said = _said(arrival, subject)
    if not said:
        return ""
    if operator == Operator.PRESENT:
        return said
    if operator == Operator.DOMAIN:
        host = said.lower().removeprefix("www.")
        return next((value for value in values if names_domain(host, value.lower())), "")
    words = plain(said)
    matches = _COMPARISONS[operator]
    return next((value for value in values if matches(words, plain(value))), "")


_COMPARISONS: dict[str, Callable[[str, str], bool]] = {
    Operator.IS: lambda words, value: words == value,
    Operator.CONTAINS: lambda words, value: bool(value) and value in words,
    Operator.BEGINS: lambda words, value: bool(value) and words.startswith(value),
}


def _said(arrival: Arrival, subject: str) -> str:
    if subject == Subject.UTM:
        return arrival.utm_source or arrival.utm_medium or arrival.utm_campaign
    return getattr(arrival, subject)


def _touch(arrival: Arrival, rule: Rule, fitted: tuple[str, ...]) -> Touch:
    if arrival.has_utm:
        return _of_link(arrival, rule.channel)
    by_name = rule.operator == Operator.DOMAIN and rule.subject == Subject.REFERRER
    named = fitted[0] if by_name and "." not in fitted[0] else arrival.referrer
    return Touch(rule.channel, (rule.source or named)[:100], rule.medium)


def _of_link(arrival: Arrival, channel: str) -> Touch:
    return Touch(str(channel), arrival.utm_source, arrival.utm_medium, arrival.utm_campaign)


def _utm(campaign: Mapping, query: dict[str, str]) -> tuple[str, str, str]:
    def said(name: str, longest: int = 100) -> str:
        value = campaign.get(name) or query.get(f"utm_{'campaign' if name == 'name' else name}")
        return str(value or "").strip()[:longest]

    return said("source").lower(), said("medium").lower(), said("name", 200)


def _host(url: str) -> str:
    rest = url.partition("://")[2]
    authority = rest.partition("/")[0].partition("?")[0].partition("#")[0]
    return authority.rpartition("@")[2].partition(":")[0].lower().removeprefix("www.")


def _path(url: str) -> str:
    rest = url.partition("://")[2].partition("?")[0].partition("#")[0]
    _authority, slash, path = rest.partition("/")
    return f"{slash}{path}"[:500]


def _query(url: str) -> dict[str, str]:
    query = url.partition("?")[2].partition("#")[0]
    try:
        return dict(parse_qsl(query, max_num_fields=100)) if query else {}
    except ValueError:
        return {}
