"""The channel rules that a new installation starts with. Marketers change them later."""

from __future__ import annotations

from leads.channels import Channel
from tracking.channel_models import Operator, Subject

SEARCH = (
    "google", "bing", "duckduckgo", "yahoo", "ecosia", "baidu", "yandex", "naver", "daum",
    "qwant", "startpage", "brave",
)  # fmt: skip
SOCIAL = (
    "linkedin", "lnkd", "facebook", "fb", "twitter", "x", "t.co", "instagram", "youtube", "reddit",
    "xing", "tiktok", "pinterest", "quora", "mastodon", "threads", "kakao", "ycombinator",
)  # fmt: skip
REVIEWS = (
    "g2", "capterra", "trustradius", "gartner", "getapp", "softwareadvice", "trustpilot", "omr",
    "crozdesk",
)  # fmt: skip
WEBMAIL = (
    "mail.google", "outlook.live", "outlook.office", "outlook.office365", "mail.yahoo",
    "mail.naver", "webmail",
)  # fmt: skip
ASSISTANTS = (
    "chatgpt", "openai", "perplexity", "claude", "gemini.google", "copilot.microsoft", "deepseek",
    "mistral", "grok", "meta.ai", "you.com", "poe.com", "phind",
)  # fmt: skip
PAID = ("cpc", "ppc", "paid", "paidsearch", "paid search", "sem", "cpv")

# (words of the UTM medium, channel)
_MEDIA = (
    (("paidsocial", "paid social"), Channel.PAID_SOCIAL),
    (("email", "e mail", "mail", "newsletter"), Channel.EMAIL),
    (("social", "social media", "sm", "organic social"), Channel.ORGANIC_SOCIAL),
    (("display", "banner", "cpm", "programmatic", "retargeting"), Channel.DISPLAY),
    (("affiliate", "affiliates", "partner"), Channel.AFFILIATE),
    (("event", "webinar", "tradeshow", "trade show", "conference"), Channel.EVENT),
    (("review", "reviews", "review site"), Channel.REVIEW_SITE),
    (("organic", "organic search", "seo"), Channel.ORGANIC_SEARCH),
    (("customer referral", "refer a friend"), Channel.CUSTOMER_REFERRAL),
    (("offline", "print", "direct mail", "qr"), Channel.OFFLINE),
    (("ai", "ai assistant", "chatbot", "llm"), Channel.AI_ASSISTANT),
    (("referral", "web referral", "link"), Channel.WEB_REFERRAL),
)
# (names of sites, channel, medium when only the referrer tells). Mail and assistants come
# first: mail.google.com and gemini.google.com are no search.
_SITES = (
    (WEBMAIL, Channel.EMAIL, "email"),
    (ASSISTANTS, Channel.AI_ASSISTANT, "ai"),
    (SEARCH, Channel.ORGANIC_SEARCH, "organic"),
    (SOCIAL, Channel.ORGANIC_SOCIAL, "social"),
    (REVIEWS, Channel.REVIEW_SITE, "referral"),
)
# (click ids, channel, source, medium)
_CLICKS = (
    (("gclid", "gbraid", "wbraid"), Channel.PAID_SEARCH, "google", "cpc"),
    (("dclid",), Channel.DISPLAY, "google", "display"),
    (("msclkid",), Channel.PAID_SEARCH, "bing", "cpc"),
    (("li_fat_id",), Channel.PAID_SOCIAL, "linkedin", "cpc"),
    (("ttclid",), Channel.PAID_SOCIAL, "tiktok", "cpc"),
    (("fbclid",), Channel.ORGANIC_SOCIAL, "facebook", "social"),
)


def default_rules() -> list[dict]:
    """The columns of each rule, in order."""
    rules: list[dict] = [
        _rule(
            Subject.UTM_MEDIUM,
            Operator.IS,
            PAID,
            Channel.PAID_SOCIAL,
            also_subject=Subject.UTM_SOURCE.value,
            also_operator=Operator.DOMAIN.value,
            also_values=list(SOCIAL),
        ),
        _rule(Subject.UTM_MEDIUM, Operator.IS, PAID, Channel.PAID_SEARCH),
    ]
    rules += [_rule(Subject.UTM_MEDIUM, Operator.IS, *medium) for medium in _MEDIA]
    rules += [_rule(Subject.UTM_SOURCE, Operator.DOMAIN, *site[:2]) for site in _SITES]
    rules.append(_rule(Subject.UTM, Operator.PRESENT, (), Channel.OTHER))
    rules += [
        _rule(Subject.CLICK_ID, Operator.IS, names, channel, source=source, medium=medium)
        for names, channel, source, medium in _CLICKS
    ]
    rules += [
        _rule(Subject.REFERRER, Operator.DOMAIN, names, channel, medium=medium)
        for names, channel, medium in _SITES
    ]
    rules.append(
        _rule(Subject.REFERRER, Operator.PRESENT, (), Channel.WEB_REFERRAL, medium="referral")
    )
    return [{**rule, "position": number} for number, rule in enumerate(rules, 1)]


def _rule(
    subject: Subject, operator: Operator, values: tuple[str, ...], channel: Channel, **more
) -> dict:
    columns = {"also_subject": "", "also_operator": "", "also_values": [], "source": ""}
    return {
        **columns,
        "medium": "",
        "subject": subject.value,
        "operator": operator.value,
        "values": list(values),
        "channel": channel.value,
        **more,
    }
