"""From a message to a row, without any server."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tracking.addresses import shorten_ip
from tracking.events import KINDS, OTHER_NAMES, PAGE_VIEWS, kind_of, snake_case
from tracking.ingest import Dropped, Envelope, prepare
from tracking.steps import Reason
from tracking.storing import COLUMNS
from tracking.verdicts import HUMAN

NOON = datetime(2026, 5, 5, 12, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
BROWSER = Envelope(1, False, NOON, user_agent=FIREFOX, ip="203.0.113.77")
SERVER = Envelope(2, True, NOON, user_agent="analytics-python/2.4.0", ip="10.0.0.9")


def test_a_page_view_of_the_browser_library():
    sent_at = datetime(2026, 5, 5, 11, 59, 30, tzinfo=UTC)
    row = prepare(
        {
            "type": "page",
            "anonymousId": "v1",
            "messageId": "ajs-1",
            "timestamp": "2026-05-05T11:59:00Z",
            "sentAt": "2026-05-05T11:59:30Z",
            "properties": {
                "url": "https://us.example/pricing?utm_source=x", "path": "/pricing",
                "referrer": "https://google.com/", "title": "Prices", "search": "", "planCount": 3,
            },
            "context": {
                "campaign": {"name": "spring", "source": "x"}, "userAgent": FIREFOX,
                "page": {"url": "https://us.example/other"}, "ip": "8.8.8.8", "locale": "de-DE",
            },
        },
        BROWSER,
    )  # fmt: skip
    assert row == {
        "source_id": 1, "message_id": "ajs-1", "kind": "pricing_page_viewed", "name": "",
        "occurred_at": sent_at, "sent_at": sent_at,
        "anonymous_id": "v1", "user_id": "", "url": "https://us.example/pricing?utm_source=x",
        "path": "/pricing", "referrer": "https://google.com/", "title": "Prices",
        "user_agent": FIREFOX, "properties": {"search": "", "plan_count": 3},
        "context": {
            "campaign": {"name": "spring", "source": "x"}, "locale": "de-DE", "ip": "203.0.113.0",
        },
        "is_trusted": False, "verdict": HUMAN, "verdict_signals": [],
    }  # fmt: skip
    assert row.keys() == COLUMNS.keys()


def test_a_message_of_a_server_speaks_for_somebody_else():
    row = prepare({"action": "track", "event": "Email Opened", "user_id": 7,
                   "context": {"ip": "198.51.100.3"}, "messageId": None}, SERVER)  # fmt: skip
    assert (row["kind"], row["user_id"], row["user_agent"]) == ("email_opened", "7", "")
    assert (row["context"], row["verdict"], row["is_trusted"]) == (
        {"ip": "198.51.100.0"},
        HUMAN,
        True,
    )
    assert len(row["message_id"]) == 36


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (None, "not_an_object"),
        ([], "not_an_object"),
        ({}, "unknown_type"),
        ({"type": ["page"]}, "unknown_type"),
        ({"type": "dance", "userId": "u"}, "unknown_type"),
        ({"type": "track", "userId": "u"}, "no_event_name"),
        ({"type": "track", "userId": "u", "event": " \x00"}, "no_event_name"),
        ({"type": "track", "userId": "u", "event": {"a": 1}}, "no_event_name"),
        ({"type": "page"}, "no_identity"),
        ({"type": "page", "userId": "null", "anonymousId": "undefined"}, "no_identity"),
        ({"type": "identify", "userId": {}, "traits": {"email": "nobody"}}, "no_identity"),
    ],
)
def test_what_is_no_event_is_dropped_with_a_reason(message, reason):
    with pytest.raises(Dropped) as drop:
        prepare(message, BROWSER)
    assert drop.value.reason == reason


def test_an_address_is_identity_enough():
    message = {"type": "track", "event": "Email Bounced", "properties": {"email": "a@b.example"}}
    assert prepare(message, BROWSER)["user_id"] == ""


def test_long_ids_stay_apart():
    message = {"type": "page", "anonymousId": "x" * 5000}
    first, second = ({**message, "messageId": "m" * 300 + str(n)} for n in (1, 2))
    assert prepare(first, BROWSER)["message_id"] != prepare(second, BROWSER)["message_id"]
    assert len(prepare(first, BROWSER)["anonymous_id"]) <= 200


def test_the_context_of_a_batch_holds_for_all_its_messages():
    envelope = Envelope(1, False, NOON, context={"locale": "ko", "app": {"name": "site"}})
    row = prepare({"type": "page", "userId": "u", "context": {"locale": "de"}}, envelope)
    assert row["context"] == {"locale": "de", "app": {"name": "site"}}
    assert envelope.context == {"locale": "ko", "app": {"name": "site"}}


def test_the_path_is_taken_from_the_address_when_nobody_says_it():
    def path_of(url: str) -> str:
        return prepare({"type": "page", "userId": "u", "properties": {"url": url}}, BROWSER)["path"]

    assert path_of("https://us.example") == "/"
    assert path_of("https://us.example/a/b?c#d") == "/a/b"
    assert path_of("http://[::1") == "/"
    assert path_of("javascript:alert(1)") == ""


@pytest.mark.parametrize(
    ("call", "name", "path", "kind"),
    [
        ("page", "Home", "/", "page_viewed"),
        ("page", "", "/pricing", "pricing_page_viewed"),
        ("page", "", "/en/Pricing/", "pricing_page_viewed"),
        ("page", "", "/preise.html", "pricing_page_viewed"),
        ("page", "", "/pricing-errors-explained", "page_viewed"),
        ("track", "Page Viewed", "/pricing", "pricing_page_viewed"),
        ("track", "Email Delivered", "", "email_delivered"),
        ("track", "Email Opened", "", "email_opened"),
        ("track", "Email Link Clicked", "", "email_link_clicked"),
        ("track", "Email Bounced", "", "email_bounced"),
        ("track", "Email Marked as Spam", "", "email_marked_as_spam"),
        ("track", "Unsubscribed", "", "email_unsubscribed"),
        ("track", "email_opened", "", "email_opened"),
        ("track", "emailOpened", "", "email_opened"),
        ("track", "Form Submitted", "/pricing", "form_submitted"),
        ("track", "Order Completed", "", "order_completed"),
        ("track", "주문 완료", "", "주문_완료"),
        ("track", "!!!", "", "!!!"),
        ("identify", "", "", "identified"),
        ("group", "", "", "account_joined"),
    ],
)
def test_names_become_kinds(call, name, path, kind):
    assert kind_of(call, name, path) == kind


def test_every_kind_is_spelled_like_its_own_name():
    assert all(snake_case(kind.replace("_", " ").title()) == kind for kind in KINDS)
    assert set(PAGE_VIEWS) <= KINDS.keys()


def test_addresses_are_shortened():
    assert shorten_ip("203.0.113.77") == "203.0.113.0"
    assert shorten_ip("2001:db8:1:2:3::4") == "2001:db8:1::"
    assert shorten_ip("::ffff:203.0.113.77") == "203.0.113.0"
    assert shorten_ip("nowhere") == shorten_ip("") == shorten_ip("1.2.3.4/8") == ""


def test_every_kind_name_and_reason_is_documented():
    text = (Path(__file__).parents[2] / "docs" / "events.md").read_text()
    assert {kind for kind in KINDS if f"| `{kind}` |" not in text} == set()
    assert {reason for reason in Reason.values if f"`{reason}`" not in text} == set()
    assert {name for name in OTHER_NAMES if name not in text.lower()} == set()


def test_addresses_among_properties_and_traits_are_shortened_too():
    whole = {"ip": "8.8.8.77", "ipAddress": "2001:db8:1:2:3::4", "plan": "a"}
    short = {"ip": "8.8.8.0", "ip_address": "2001:db8:1::", "plan": "a"}
    trusted = Envelope(1, True, NOON)
    track = {"type": "track", "event": "Call", "userId": "u", "properties": whole}
    assert prepare(track, trusted)["properties"] == short
    identify = {"type": "identify", "userId": "u", "traits": whole}
    assert prepare(identify, trusted)["properties"] == short
    around = {"type": "page", "userId": "u", "context": {"traits": whole}}
    assert prepare(around, trusted)["context"]["traits"] == short
    for odd in ("8.8.8.77, 10.0.0.1", 7, None, ["8.8.8.77"], {"a": "8.8.8.77"}):
        assert "ip" not in prepare({**track, "properties": {"ip": odd}}, trusted)["properties"]
