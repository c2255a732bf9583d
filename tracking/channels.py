"""Which channel a visit came through: plain rules on its address, referrer and UTM values.

What the link itself says (UTM, click ids) is believed before what the browser says
(the referrer). docs/events.md has the same rules in words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qsl

from leads.channels import Channel


class Touch(NamedTuple):
    """Where a visit came from; texts cut to the columns they go into."""

    channel: str
    source: str = ""
    medium: str = ""
    campaign: str = ""


SEARCH = (
    "google", "bing", "duckduckgo", "yahoo", "ecosia", "baidu", "yandex", "naver", "daum",
    "qwant", "startpage", "brave", "perplexity", "chatgpt",
)  # fmt: skip
SOCIAL = (
    "linkedin", "lnkd", "facebook", "fb", "twitter", "x", "t.co", "instagram", "youtube", "reddit",
    "xing", "tiktok", "pinterest", "quora", "mastodon", "threads", "kakao", "ycombinator",
)  # fmt: skip
REVIEWS = (
    "g2", "capterra", "trustradius", "gartner", "getapp", "softwareadvice", "trustpilot", "omr",
    "crozdesk",
)  # fmt: skip
WEBMAIL = ("mail.google", "outlook.live", "outlook.office", "mail.yahoo", "mail.naver", "webmail")

_PAID = frozenset({"cpc", "ppc", "paid", "paidsearch", "paid search", "sem", "cpv", "paid_search"})
_BY_MEDIUM = {
    **dict.fromkeys(("paidsocial", "paid social", "paid_social"), Channel.PAID_SOCIAL),
    **dict.fromkeys(("email", "e mail", "mail", "newsletter"), Channel.EMAIL),
    **dict.fromkeys(("social", "social media", "sm", "organic social"), Channel.ORGANIC_SOCIAL),
    **dict.fromkeys(("display", "banner", "cpm", "programmatic", "retargeting"), Channel.DISPLAY),
    **dict.fromkeys(("affiliate", "affiliates", "partner"), Channel.AFFILIATE),
    **dict.fromkeys(("event", "webinar", "tradeshow", "trade show", "conference"), Channel.EVENT),
    **dict.fromkeys(("review", "reviews", "review site"), Channel.REVIEW_SITE),
    **dict.fromkeys(("organic", "organic search", "seo"), Channel.ORGANIC_SEARCH),
    **dict.fromkeys(("customer referral", "refer a friend"), Channel.CUSTOMER_REFERRAL),
    **dict.fromkeys(("offline", "print", "direct mail", "qr"), Channel.OFFLINE),
    **dict.fromkeys(("referral", "web referral", "link"), Channel.WEB_REFERRAL),
}
_CLICK_IDS = {
    "gclid": Touch(Channel.PAID_SEARCH, "google", "cpc"),
    "gbraid": Touch(Channel.PAID_SEARCH, "google", "cpc"),
    "wbraid": Touch(Channel.PAID_SEARCH, "google", "cpc"),
    "msclkid": Touch(Channel.PAID_SEARCH, "bing", "cpc"),
    "li_fat_id": Touch(Channel.PAID_SOCIAL, "linkedin", "cpc"),
    "ttclid": Touch(Channel.PAID_SOCIAL, "tiktok", "cpc"),
    "fbclid": Touch(Channel.ORGANIC_SOCIAL, "facebook", "social"),
}


def classify(url: str, referrer: str, campaign: Mapping | None = None) -> Touch:
    """The touch of a visit to `url`. `campaign` is Segment's context.campaign, if sent."""
    query = _query(url)
    utm = _utm(campaign or {}, query)
    if utm.source or utm.medium or utm.campaign:
        return utm._replace(channel=_channel_of(utm.source, utm.medium))
    for click_id, touch in _CLICK_IDS.items():
        if click_id in query:
            return touch
    return _of_referrer(_host(referrer), _host(url))


def _utm(campaign: Mapping, query: dict[str, str]) -> Touch:
    def said(name: str, longest: int = 100) -> str:
        value = campaign.get(name) or query.get(f"utm_{'campaign' if name == 'name' else name}")
        return str(value or "").strip()[:longest]

    return Touch("", said("source").lower(), said("medium").lower(), said("name", 200))


def _channel_of(source: str, medium: str) -> str:
    words = medium.replace("-", " ").replace("_", " ")
    if medium in _PAID or words in _PAID:
        return Channel.PAID_SOCIAL if _is_one_of(source, SOCIAL) else Channel.PAID_SEARCH
    if words in _BY_MEDIUM:
        return _BY_MEDIUM[words]
    by_source = _of_referrer(source, "")
    known = by_source.channel not in (Channel.WEB_REFERRAL, Channel.DIRECT)
    return by_source.channel if known else Channel.OTHER


def _of_referrer(host: str, own_host: str) -> Touch:
    if not host or host == own_host:
        return Touch(Channel.DIRECT)
    name = host.removeprefix("www.")[:100]
    if host.startswith(WEBMAIL):
        return Touch(Channel.EMAIL, name, "email")
    for names, channel, medium in (
        (SEARCH, Channel.ORGANIC_SEARCH, "organic"),
        (SOCIAL, Channel.ORGANIC_SOCIAL, "social"),
        (REVIEWS, Channel.REVIEW_SITE, "referral"),
    ):
        found = _is_one_of(host, names)
        if found:
            return Touch(channel, found, medium)
    return Touch(Channel.WEB_REFERRAL, name, "referral")


def _is_one_of(host: str, names: tuple[str, ...]) -> str:
    """The name that the host (or a source such as “linkedin”) goes by, or ""."""
    if host in names:
        return host
    labels = host.split(".")[:-1]
    return next((name for name in names if name in labels), "")


def _host(url: str) -> str:
    rest = url.partition("://")[2]
    authority = rest.partition("/")[0].partition("?")[0].partition("#")[0]
    return authority.rpartition("@")[2].partition(":")[0].lower().removeprefix("www.")


def _query(url: str) -> dict[str, str]:
    query = url.partition("?")[2].partition("#")[0]
    try:
        return dict(parse_qsl(query, max_num_fields=100)) if query else {}
    except ValueError:
        return {}
