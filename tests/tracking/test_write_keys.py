"""What a write key is good for: websites, paths, rates; its life from issue to revocation."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from django.test import Client
from django.urls import reverse

from leads.actors import Actor
from leads.models import AuditEntry
from leads.refusals import Refused
from tests.tracking.test_collector import counted, view
from tracking.collector.gate import Bucket, Gate, TooFast
from tracking.collector.keys import _sender
from tracking.keys import find_key, issue_key, restrict_key, revoke_key, rotate_key
from tracking.models import Event, InspectedMessage, TurnedAway, WriteKey
from tracking.origins import is_allowed, origin_of, read_pattern

SYSTEM = Actor.system("Test")
served = [
    pytest.mark.servers,
    pytest.mark.django_db(transaction=True, available_apps=["tracking"]),
]


def of_text(text: str) -> WriteKey:
    key = find_key(text)
    assert key is not None
    return key


def restricted(web, *, is_secret: bool = False, **limits) -> str:
    """A new key of the served source with these limits."""
    row, text = issue_key(web.source, is_secret=is_secret)
    restrict_key(row.pk, **limits, by=SYSTEM)
    return text


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://WWW.Example.com/", "https://www.example.com"),
        ("https://www.example.com:443", "https://www.example.com"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("*.example.com", "*.example.com"),
        ("example.com", "example.com"),
        ("https://prüfung.example", "https://xn--prfung-4ya.example"),
    ],
)
def test_a_website_is_kept_as_browsers_name_it(written, kept):
    assert read_pattern(written) == kept


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "*",
        "*.*",
        "https://*.example.com",
        "https://a/b",
        "javascript:1",
        "a b",
        "a..b",
        "x" * 400,
    ],
)
def test_what_is_no_website_is_refused(wrong):
    with pytest.raises(ValueError):
        read_pattern(wrong)


def test_origins_fit_exactly_or_below_a_domain():
    exact, below, host = ("https://www.example.com",), ("*.example.com",), ("example.com",)
    assert is_allowed("https://www.example.com", exact)
    assert is_allowed("https://www.example.com:443", exact)
    assert not is_allowed("http://www.example.com", exact)
    assert not is_allowed("https://www.example.com:8443", exact)
    assert is_allowed("https://a.b.example.com:8443", below)
    assert not is_allowed("https://example.com", below)
    assert not is_allowed("https://evilexample.com", (*below, *host))
    assert not is_allowed("https://example.com.evil.test", (*below, *host))
    assert is_allowed("http://example.com", host)
    assert not is_allowed("null", (*exact, *below, *host))
    assert not is_allowed("", (*exact, *below, *host))
    assert origin_of("https://shop.example.com/a?b") == "https://shop.example.com"


class TestBrowsersThatSayNo:
    pytestmark = served

    @pytest.mark.parametrize("header", ["Sec-GPC", "DNT"])
    def test_whatever_client_they_use_nothing_of_them_is_kept(self, web, header):
        no = {header: "1"}
        batch = {"batch": [{"type": "page", **view(number)} for number in range(3)]}
        click = view(2) | {"writeKey": web.public_key, "event": "Click"}
        answers = [
            web.post("/v1/page", view(1), headers=no),
            web.post("/v1/batch", batch, headers=no),
            web.post("/v1/t", click, "", headers=no),
        ]
        for answer in answers:
            assert answer.status_code == 403
            assert answer.json()["rejected"] == [{"index": 0, "reason": "opted_out"}]
        pixel = requests.get(
            f"{web.url}/v1/pixel.gif",
            {"writeKey": web.public_key, "anonymousId": "v", "event": "Email Opened"},
            headers=no,
            timeout=9,
        )
        assert (pixel.status_code, pixel.content[:3]) == (403, b"GIF")
        assert not Event.objects.exists()
        assert counted() == {"received": 4, "rejected opted_out": 4}
        kept = InspectedMessage.objects.values_list("outcome", "reason", "message_id", "payload")
        assert set(kept) == {("rejected", "opted_out", "", None)}

    def test_no_other_value_is_a_no(self, web):
        for number, headers in enumerate(({"Sec-GPC": "0"}, {"DNT": "0"}, {"DNT": "unspecified"})):
            assert web.post("/v1/page", view(number), headers=headers).status_code == 200
        assert counted() == {"received": 3, "accepted": 3}

    def test_a_server_speaks_for_others(self, web):
        answer = web.post("/v1/page", view(1), web.secret_key, headers={"Sec-GPC": "1", "DNT": "1"})
        assert answer.status_code == 200
        assert counted() == {"received": 1, "accepted": 1}


class TestOrigins:
    pytestmark = served

    def test_only_the_websites_of_the_key_may_send(self, web):
        key = restricted(web, allowed_origins=["https://www.example.com", "*.shop.example"])
        for origin in ("https://www.example.com", "https://de.shop.example:444"):
            answer = web.post("/v1/page", view(1), key, headers={"Origin": origin})
            assert answer.status_code == 200
            assert answer.headers["Access-Control-Allow-Origin"] == origin
            assert answer.headers["Vary"].lower() == "origin"
        for headers in ({"Origin": "https://evil.test"}, {"Origin": "null"}, {}):
            answer = web.post("/v1/page", view(2), key, headers=headers)
            assert answer.status_code == 403
            assert "not for this website" in answer.json()["message"]
            assert answer.json()["rejected"][0]["reason"] == "origin_not_allowed"
        assert counted() == {
            "received": 5, "accepted": 1, "duplicate": 1, "rejected origin_not_allowed": 3,
        }  # fmt: skip

    def test_a_website_that_is_refused_can_read_why(self, web):
        key = restricted(web, allowed_origins=["www.example.com"])
        answer = web.post("/v1/t", {}, key, headers={"Origin": "https://evil.test"})
        assert answer.headers["Access-Control-Allow-Origin"] == "https://evil.test"
        asked = requests.options(
            f"{web.url}/v1/t", headers={"Origin": "https://www.example.com"}, timeout=9
        )
        assert asked.headers["Access-Control-Allow-Origin"] == "*"

    def test_a_pixel_is_judged_by_its_referrer(self, web):
        key = restricted(web, allowed_origins=["www.example.com"])
        url = f"{web.url}/v1/pixel.gif?writeKey={key}&event=Email+Opened&userId=u&messageId="
        for number, (referrer, status) in enumerate(
            [(None, 200), ("https://www.example.com/a", 200), ("https://evil.test/a", 403)]
        ):
            headers = {"Referer": referrer} if referrer else {}
            answer = requests.get(url + str(number), headers=headers, timeout=9)
            assert (answer.status_code, answer.headers["Content-Type"]) == (status, "image/gif")
        assert Event.objects.count() == 2

    def test_what_is_changed_is_in_force_within_five_seconds(self, web):
        key = web.public_key
        assert web.post("/v1/page", view(1), key).status_code == 200
        restrict_key(of_text(key).pk, allowed_origins=["www.example.com"], by=SYSTEM)
        began = time.monotonic()
        while web.post("/v1/page", view(1), key).status_code != 403:
            assert time.monotonic() - began < 6
            time.sleep(0.2)


class TestScopes:
    pytestmark = served

    def test_a_secret_key_does_only_what_it_is_for(self, web):
        events = restricted(web, is_secret=True, scopes=["events"])
        history = restricted(web, is_secret=True, scopes=["history"])
        batch = {"batch": [view(1)]}
        assert web.post("/v1/batch", batch, events).status_code == 200
        assert web.post("/v1/import", batch, history).status_code == 200
        for path, key in (
            ("import", events),
            ("import/", events),
            ("batch", history),
            ("t", history),
        ):
            answer = web.post(f"/v1/{path}", batch, key)
            assert answer.status_code == 403
            assert answer.json()["rejected"][0]["reason"] == "out_of_scope"

    def test_a_key_is_made_with_all_scopes(self, web):
        assert set(of_text(web.secret_key).scopes) == {"events", "history"}


class TestRates:
    pytestmark = served

    def test_more_than_the_rate_is_told_to_come_again(self, web):
        key = restricted(web, per_second=5, burst=20)

        def send(number: int) -> requests.Response:
            return web.post("/v1/page", view(number), key)

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(send, range(60)))
        late = [answer for answer in answers if answer.status_code == 429]
        taken = [answer for answer in answers if answer.status_code == 200]
        assert 20 <= len(taken) <= 35
        assert len(late) == 60 - len(taken)
        assert all(int(answer.headers["Retry-After"]) >= 1 for answer in late)
        assert late[0].json()["code"] == "rate_limited"
        # None of them was received, so that each can come again.
        assert counted() == {"received": len(taken), "accepted": len(taken)}
        assert wait_for_turned_away("rate_limited", len(late)) == web.source.pk

    def test_a_batch_counts_by_its_messages(self, web):
        key = restricted(web, per_second=1, burst=10)
        batch = {"batch": [view(n) for n in range(50)]}
        assert web.post("/v1/batch", batch, key).status_code == 200
        answer = web.post("/v1/batch", {"batch": [view(51)]}, key)
        assert answer.status_code == 429
        assert 30 <= int(answer.headers["Retry-After"]) <= 41

    def test_other_keys_are_not_held_up(self, web):
        slow = restricted(web, per_second=1, burst=1)
        for number in range(3):
            web.post("/v1/page", view(number), slow)
        assert web.post("/v1/page", view(9)).status_code == 200

    def test_who_has_no_valid_key_is_counted_apart(self, web):
        for _ in range(3):
            assert web.post("/v1/page", view(1), "pk_made_up").status_code == 401
        assert web.post("/v1/page", view(1), key="").status_code == 401
        assert wait_for_turned_away("unknown_key", 3) is None
        assert wait_for_turned_away("no_key", 1) is None
        assert counted() == {}
        metrics = requests.get(f"{web.url}/metrics", timeout=9).text
        assert 'funnel_ingest_turned_away_total{reason="unknown_key"} ' in metrics


def wait_for_turned_away(reason: str, requests: int) -> int | None:
    """Source id, once the collector, which writes now and then, has told of so many requests."""
    deadline = time.monotonic() + 8
    told = None
    while time.monotonic() < deadline:
        found = TurnedAway.objects.filter(reason=reason).first()
        told = found and found.count
        if told == requests:
            return found.source_id
        time.sleep(0.1)
    raise AssertionError(f"{told} requests were written down, not {requests}.")


def test_a_public_key_has_a_limit_even_if_nobody_set_one():
    """It stands in web pages; a secret one does not."""
    gate = Gate()
    public, secret = (_sender(number, 1, number == 2, [], [], None, None) for number in (1, 2))
    assert (public.per_second, public.burst) == (500, 100_000)
    gate.take(public, 100_000)
    with pytest.raises(TooFast) as refusal:
        gate.take(public, 1)
    assert refusal.value.seconds == 1
    for _ in range(3):
        gate.take(secret, 10**9)
    assert _sender(1, 1, False, [], [], 9, 18).per_second == 9


def test_a_bucket_fills_up_to_its_size_and_waits_for_debts():
    bucket = Bucket(per_second=10, size=5, now=100)
    assert [bucket.take(1, 100) for _ in range(5)] == [0] * 5
    assert bucket.take(1, 100) == pytest.approx(0.1)
    assert bucket.take(21, 101) == 0  # more than is in it, once
    assert bucket.take(1, 101) == pytest.approx(1.7)
    assert bucket.take(1, 1000) == 0
    assert bucket.left(1000) == 4


class TestLife:
    pytestmark = [pytest.mark.django_db]

    def test_a_successor_takes_over_the_limits_and_both_hold(self, website):
        old, old_text = issue_key(website, is_secret=False)
        restrict_key(old.pk, allowed_origins=["*.example.com"], per_second=7, by=SYSTEM)
        new, new_text = rotate_key(old.pk, by=SYSTEM)
        assert (new.source, new.replaces_id) == (website, old.pk)
        assert (new.allowed_origins, new.per_second, new.burst) == (["*.example.com"], 7, 14)
        assert find_key(old_text) == old
        assert find_key(new_text) == new
        revoke_key(old.pk, by=SYSTEM)
        assert find_key(old_text) is None
        with pytest.raises(Refused, match="is revoked"):
            rotate_key(old.pk, by=SYSTEM)
        verbs = AuditEntry.objects.order_by("pk").values_list("verb", flat=True)
        assert list(verbs) == ["issued", "restricted", "rotated", "revoked"]

    def test_what_changes_is_in_the_audit_log_and_nothing_when_nothing_does(self, website):
        key, _text = issue_key(website, is_secret=False)
        for _ in range(2):
            restrict_key(key.pk, allowed_origins=["example.com", " ", "example.com"], by=SYSTEM)
        entry = AuditEntry.objects.get(verb="restricted")
        assert entry.changes == {"allowed_origins": [[], ["example.com"]]}

    def test_nonsense_is_refused_with_a_sentence(self, website):
        public, _text = issue_key(website, is_secret=False)
        secret, _text = issue_key(website, is_secret=True)
        with pytest.raises(Refused, match="“https://x/y” is no website"):
            restrict_key(public.pk, allowed_origins=["https://x/y"], by=SYSTEM)
        with pytest.raises(Refused, match="choose a scope"):
            restrict_key(secret.pk, scopes=["fly"], by=SYSTEM)
        with pytest.raises(Refused, match="At most 50"):
            restrict_key(public.pk, allowed_origins=[f"a{n}.test" for n in range(51)], by=SYSTEM)

    def test_marketers_restrict_and_rotate_on_the_page(self, mia, client: Client, website):
        client.force_login(mia)
        key, text = issue_key(website, is_secret=False)
        page = reverse("tracking:key", args=[key.pk])
        wrong = client.post(page, {"allowed_origins": "https://x/y"})
        assert (wrong.status_code, "is no website" in wrong.text) == (422, True)
        client.post(page, {"allowed_origins": "www.example.com\n*.example.org", "per_second": "9"})
        key.refresh_from_db()
        assert key.allowed_origins == ["*.example.org", "www.example.com"]
        assert (key.per_second, key.burst) == (9, 18)
        answer = client.post(reverse("tracking:rotation", args=[key.pk]), follow=True)
        assert key.prefix in answer.text
        assert find_key(text) == key

    def test_a_secret_successor_is_shown_once(self, mia, client: Client, crm):
        client.force_login(mia)
        key, _text = issue_key(crm, is_secret=True)
        page = reverse("tracking:key", args=[key.pk])
        client.post(page, {"events": "on"})
        answer = client.post(reverse("tracking:rotation", args=[key.pk]), follow=True)
        text = answer.context["key"]
        new = of_text(text)
        assert (answer.status_code, text in answer.text) == (200, True)
        assert new.scopes == ["events"]
        assert text not in client.get(reverse("tracking:key", args=[new.pk])).text
