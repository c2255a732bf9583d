"""Which channel a visit came through: the rules a new installation starts with."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leads.channels import Channel
from tracking.channels import Touch, decide, names_domain, read_arrival
from tracking.default_channels import default_rules

HOME = "https://us.example/start"
RULES = [SimpleNamespace(**columns) for columns in default_rules()]


def classify(url: str, referrer: str, campaign: dict | None = None) -> Touch:
    return decide(read_arrival(url, referrer, campaign), RULES).touch


@pytest.mark.parametrize(
    ("url", "referrer", "channel", "source"),
    [
        (HOME, "", "direct", ""),
        (HOME, "https://us.example/other", "direct", ""),
        (HOME, "https://www.us.example/other", "direct", ""),
        (HOME, "https://www.google.com/", "organic_search", "google"),
        (HOME, "https://duckduckgo.com/?q=x", "organic_search", "duckduckgo"),
        (HOME, "https://search.naver.com/", "organic_search", "naver"),
        (HOME, "https://www.linkedin.com/feed", "organic_social", "linkedin"),
        (HOME, "https://t.co/abc", "organic_social", "t.co"),
        (HOME, "https://www.g2.com/products/us", "review_site", "g2"),
        (HOME, "https://mail.google.com/", "email", "mail.google.com"),
        (HOME, "https://chatgpt.com/", "ai_assistant", "chatgpt"),
        (HOME, "https://www.perplexity.ai/search", "ai_assistant", "perplexity"),
        (HOME, "https://gemini.google.com/app", "ai_assistant", "gemini.google.com"),
        (f"{HOME}?utm_source=chatgpt.com", "", "ai_assistant", "chatgpt.com"),
        (HOME, "https://blog.partner.example/post", "web_referral", "blog.partner.example"),
        (HOME, "not a url", "direct", ""),
        (f"{HOME}?gclid=1", "https://www.google.com/", "paid_search", "google"),
        (f"{HOME}?li_fat_id=1", "", "paid_social", "linkedin"),
        (f"{HOME}?utm_source=Google&utm_medium=CPC", "", "paid_search", "google"),
        (f"{HOME}?utm_source=linkedin&utm_medium=cpc", "", "paid_social", "linkedin"),
        (f"{HOME}?utm_source=news&utm_medium=email", "https://x.example/", "email", "news"),
        (f"{HOME}?utm_source=linkedin", "", "organic_social", "linkedin"),
        (f"{HOME}?utm_source=google&utm_medium=organic", "", "organic_search", "google"),
        (f"{HOME}?utm_medium=display", "", "display", ""),
        (f"{HOME}?utm_medium=affiliate&utm_source=p", "", "affiliate", "p"),
        (f"{HOME}?utm_medium=Trade-Show&utm_source=hannover", "", "event", "hannover"),
        (f"{HOME}?utm_source=something", "", "other", "something"),
    ],
)
def test_a_visit_has_a_channel(url, referrer, channel, source):
    touch = classify(url, referrer)
    assert (touch.channel, touch.source) == (channel, source)


def test_what_the_library_says_of_the_campaign_counts_like_the_address():
    touch = classify(HOME, "", {"source": "Bing", "medium": "cpc", "name": "Spring"})
    assert touch == ("paid_search", "bing", "cpc", "Spring")


@given(st.text(), st.text(), st.dictionaries(st.text(), st.text() | st.none() | st.integers()))
def test_anything_has_some_channel(url, referrer, campaign):
    touch = classify(url, referrer, campaign)
    assert touch.channel in Channel.values
    assert len(touch.source) <= 100
    assert len(touch.campaign) <= 200


def test_a_decision_says_which_rule_it_was_and_what_fitted():
    found = decide(read_arrival(f"{HOME}?utm_source=LinkedIn&utm_medium=Paid-Search", ""), RULES)
    assert (found.rule.position, found.fitted) == (1, ("paid search", "linkedin"))
    assert decide(read_arrival(HOME, ""), RULES).rule is None


@pytest.mark.parametrize("channel", sorted(set(Channel.values) - {"direct", "unknown"}))
def test_every_channel_has_a_rule(channel):
    assert any(rule.channel == channel for rule in RULES)


@pytest.mark.parametrize(
    ("host", "name", "fits"),
    [
        ("www.google.com", "google", True),
        ("google.evil.example", "google", True),
        ("notgoogle.com", "google", False),
        ("mail.google.com", "mail.google", True),
        ("news.poe.com", "poe.com", True),
        ("google", "google", True),
        ("shop.google", "google", False),
    ],
)
def test_sites_go_by_names(host, name, fits):
    assert names_domain(host, name) is fits
