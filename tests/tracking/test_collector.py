"""The tracking API of a real web process, spoken to over HTTP."""

from __future__ import annotations

import base64
import gzip
import json
import time
import zlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
import requests
from django.db.models import Sum
from segment.analytics.client import Client

from tests.shared_data import real_file
from tests.tracking.conftest import FIREFOX
from tracking.models import Event, IngestCount, PendingEvent, WriteKey

# Only tracking's tables are written, so only they need to be emptied.
pytestmark = [
    pytest.mark.servers,
    pytest.mark.django_db(transaction=True, available_apps=["tracking"]),
]


def counted() -> dict[str, int]:
    rows = IngestCount.objects.values_list("outcome", "reason").annotate(n=Sum("count"))
    return {f"{outcome} {reason}".strip(): n for outcome, reason, n in rows}


def view(number: int = 1, **more) -> dict:
    return {"type": "page", "anonymousId": f"v{number}", "messageId": f"m{number}", **more}


@pytest.mark.parametrize("is_packed", [False, True], ids=["plain", "gzip"])
def test_the_segment_library_for_python_works_unchanged(web, is_packed):
    errors = []
    client = Client(
        web.public_key, host=web.url, gzip=is_packed, upload_interval=0.05,
        on_error=lambda error, items: errors.append(error),
    )  # fmt: skip
    client.identify("u1", {"email": "ada@acme.example", "name": "Ada"})
    client.track("u1", "Email Opened", {"email_subject": "Spring"}, context={"ip": "10.1.2.3"})
    client.page("u1", "Docs", "Start", {"url": "https://us.example/start?x=1"}, anonymous_id="v1")
    client.screen("u1", "App", "Home")
    client.group("u1", "acme", {"name": "Acme"})
    client.alias("v1", "u1")
    for number in range(150):
        client.track("u1", "Order Completed", {"number": number, "at": datetime.now(UTC)})
    client.shutdown()

    assert errors == []
    assert Counter(Event.objects.values_list("kind", flat=True)) == {
        "identified": 1, "email_opened": 1, "page_viewed": 1, "screen_viewed": 1,
        "account_joined": 1, "aliased": 1, "order_completed": 150,
    }  # fmt: skip
    assert counted() == {"received": 156, "accepted": 156}
    page = Event.objects.get(kind="page_viewed")
    assert (page.url, page.path, page.name) == ("https://us.example/start?x=1", "/start", "Start")
    assert page.verdict == 0
    assert abs(page.occurred_at - page.received_at) < timedelta(seconds=5)
    assert "10.1.2.3" not in str(list(Event.objects.values_list("context", flat=True)))


@pytest.mark.parametrize(
    "path",
    ["track", "t", "identify", "i", "page", "p", "screen", "s", "group", "g", "alias", "a"],
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_every_call_has_a_long_and_a_short_path(web, path, slash):
    message = {"userId": "u1", "event": "Call", "traits": {"a": 1}, "previousId": "v1"}
    answer = web.post(f"/v1/{path}{slash}", message, allow_redirects=False)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert Event.objects.count() == PendingEvent.objects.count() == 1


@pytest.mark.parametrize("path", ["batch", "b", "import", "batch/"])
def test_a_batch_is_json_whatever_its_content_type_says(web, path):
    body = json.dumps({"batch": [view(1), view(2)], "writeKey": web.public_key})
    for kind in ("text/plain", "application/json", "", "x/y; charset=utf-8"):
        headers = {"Content-Type": kind}
        answer = requests.post(f"{web.url}/v1/{path}", body, headers=headers, timeout=9)
        assert answer.status_code == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert counted() == {"received": 8, "accepted": 2, "duplicate": 6}


def test_a_message_counts_once_however_often_and_concurrently_it_comes(web):
    batch = {"batch": [view(n) for n in (1, 2, 3, 2, 1)]}
    paths = ["/v1/batch", "/v1/import", "/v1/b"] * 20
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda path: web.post(path, batch), paths))
    assert {answer.status_code for answer in answers} == {200}
    assert Event.objects.count() == PendingEvent.objects.count() == 3
    assert counted() == {"received": 300, "accepted": 3, "duplicate": 297}


def test_a_bad_message_is_named_and_the_others_of_its_batch_are_stored(web):
    bad = [
        7,
        {"type": "dance"},
        {"type": "track", "userId": "u"},
        {"type": "page"},
        {"type": "page", "userId": "u", "properties": {"x": "y" * 40_000}},
    ]
    batch = [view(1), *bad, view(2)]
    answer = web.post("/v1/batch", {"batch": batch})
    reasons = ["not_an_object", "unknown_type", "no_event_name", "no_identity", "too_large"]
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "success": True,
            "rejected": [{"index": i, "reason": why} for i, why in enumerate(reasons, start=1)],
        },
    )
    assert counted() == {
        "received": 7, "accepted": 2, **{f"rejected {reason}": 1 for reason in reasons},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "body", "status", "reason"),
    [
        ("track", b"", 400, "bad_json"),
        ("track", b"{", 400, "bad_json"),
        ("track", b"[" * 100_000, 413, "too_large"),
        ("batch", b"[" * 100_000, 400, "bad_json"),
        ("track", b"null", 400, "not_an_object"),
        ("track", b"[]", 400, "not_an_object"),
        ("track", b'{"userId": "u"}', 400, "no_event_name"),
        ("batch", b"{}", 400, "no_batch"),
        ("batch", b'{"batch": {}}', 400, "no_batch"),
        ("batch", b"[" + b"0," * 249_000 + b"0]", 413, "too_many"),
        ("batch", b'{"batch": [1, 2]}', 400, "not_an_object"),
        ("track", b'{"userId": "u", "event": "' + b"x" * 33_000 + b'"}', 413, "too_large"),
        ("batch", b'{"batch": [], "x": "' + b"x" * 600_000 + b'"}', 413, "too_large"),
    ],
)
def test_what_cannot_be_stored_is_refused_with_the_reason(web, path, body, status, reason):
    answer = requests.post(f"{web.url}/v1/{path}", body, auth=(web.public_key, ""), timeout=9)
    assert answer.status_code == status
    document = answer.json()
    assert (document["success"], document["rejected"][0]["reason"]) == (False, reason)
    assert {"code", "message"} <= document.keys()
    assert not Event.objects.exists()
    assert counted()["received"] == counted()[f"rejected {reason}"] > 0


def test_explicit_nulls_count_as_nothing(web):
    nothing = dict.fromkeys(
        ("userId", "context", "properties", "traits", "integrations", "name", "timestamp", "sentAt",
         "originalTimestamp", "groupId", "previousId", "channel", "_metadata")
    )  # fmt: skip
    calls = [("page", None), ("screen", None), ("identify", None), ("group", None), ("alias", None)]
    calls += [("track", "Call")]
    for index, (call, name) in enumerate(calls):
        message = {**nothing, "anonymousId": "v1", "messageId": f"m{index}", "event": name}
        assert web.post(f"/v1/{call}", message).json() == {"success": True}
    assert set(Event.objects.values_list("user_id", "name", "url", "sent_at")) == {
        ("", "", "", None), ("", "Call", "", None),
    }  # fmt: skip
    message = {**nothing, "type": "page", "messageId": None, "anonymousId": None}
    answer = web.post("/v1/batch", {"batch": [message], "context": None, "sentAt": None})
    assert (answer.status_code, answer.json()["rejected"][0]["reason"]) == (400, "no_identity")


def test_a_page_and_a_campaign_in_the_context_are_read(web):
    page = {"url": "https://us.example/guide?a=1", "referrer": "https://r.example/", "title": "G"}
    campaign = {"name": "spring", "source": "news", "medium": "email"}
    context = {"page": page, "campaign": campaign, "library": {"name": "x"}}
    web.post("/v1/track", {"userId": "u1", "event": "Call", "context": context})
    event = Event.objects.get()
    assert (event.url, event.path, event.referrer, event.title) == (
        page["url"], "/guide", page["referrer"], "G",
    )  # fmt: skip
    assert event.context["campaign"] == campaign


def test_an_empty_batch_is_no_error(web):
    assert web.post("/v1/batch", {"batch": []}).json() == {"success": True}
    assert counted() == {}


def test_a_key_is_asked_for(web):
    for key in ("", "wrong", "x" * 10_000, "\x00"):
        assert web.post("/v1/track", {"event": "x", "userId": "u"}, key=key).status_code == 401
    body = {"event": "x", "userId": "u", "writeKey": "wrong"}
    assert web.post("/v1/track", body, key="").status_code == 401
    for header in ("Basic", "Basic !!!", "Basic //79", "Bearer", "Digest a"):
        headers = {"Authorization": header}
        assert requests.post(f"{web.url}/v1/t", "{}", headers=headers, timeout=9).status_code in (
            400,
            401,
        )
    assert not Event.objects.exists()
    assert counted() == {}


def test_only_a_secret_key_is_trusted(web):
    web.post("/v1/page", view(1))
    web.post("/v1/page", view(2), key=web.secret_key)
    assert list(Event.objects.order_by("message_id").values_list("is_trusted", flat=True)) == [
        False,
        True,
    ]


def test_the_use_of_a_key_is_noted(web):
    web.post("/v1/page", view(1))
    deadline = time.monotonic() + 10
    while (key := WriteKey.objects.get(is_secret=False)).last_used_at is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert WriteKey.objects.get(is_secret=True).last_used_at is None
    assert key.revoked_at is None


def test_a_revoked_key_is_refused_within_seconds(web):
    assert web.post("/v1/page", view(1)).status_code == 200
    WriteKey.objects.update(revoked_at=datetime.now(UTC))
    deadline = time.monotonic() + 8
    while web.post("/v1/page", view(2)).status_code != 401:
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_packed_bodies_are_unpacked_up_to_the_limit_and_no_further(web):
    def post(body: bytes, encoding: str = "gzip") -> int:
        headers = {"Content-Encoding": encoding}
        address, auth = f"{web.url}/v1/batch", (web.public_key, "")
        return requests.post(address, body, headers=headers, auth=auth, timeout=9).status_code

    good = gzip.compress(json.dumps({"batch": [view(1)]}).encode())
    assert post(good) == 200
    assert post(gzip.compress(b" " * 50_000_000)) == 413
    assert post(good[:-9]) == 400
    assert post(b"no gzip") == 400
    assert post(zlib.compress(b"{}"), "br") == 400
    assert counted() == {
        "received": 5, "accepted": 1, "rejected too_large": 1, "rejected bad_encoding": 3,
    }  # fmt: skip


def test_a_huge_body_is_cut_off(web):
    def endless():
        for _ in range(200):
            yield b"x" * 500_000

    try:
        answer = requests.post(
            f"{web.url}/v1/batch", endless(), auth=(web.public_key, ""), timeout=9
        )
        assert answer.status_code == 413
    except requests.ConnectionError:
        pass  # hung up on while still sending
    assert web.post("/v1/page", view(1)).status_code == 200


def test_the_pixel_stores_before_it_answers(web):
    query = {
        "writeKey": web.public_key,
        "event": "Email Opened",
        "userId": "u1",
        "subject": "Spring",
    }
    browser = {"User-Agent": FIREFOX}
    answer = requests.get(f"{web.url}/v1/pixel.gif", query, headers=browser, timeout=9)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/gif")
    event = Event.objects.get()
    assert (event.kind, event.properties) == ("email_opened", {"subject": "Spring"})

    data = base64.urlsafe_b64encode(json.dumps(view(2, writeKey=web.public_key)).encode()).decode()
    answer = requests.get(f"{web.url}/v1/pixel/page", {"data": data}, headers=browser, timeout=9)
    assert answer.status_code == 200
    assert requests.get(f"{web.url}/v1/pixel.gif", {"data": "%%%"}, timeout=9).status_code == 400
    assert requests.get(f"{web.url}/v1/pixel.gif", {"writeKey": "x"}, timeout=9).status_code == 401
    headed = requests.head(f"{web.url}/v1/pixel.gif", params=query, timeout=9)
    assert (headed.status_code, headed.content) == (200, b"")
    assert sorted(Event.objects.values_list("verdict", flat=True)) == [0, 0, 2]


def test_browsers_may_ask_and_get_their_settings(web):
    answer = requests.options(
        f"{web.url}/v1/t", headers={"Origin": "https://us.example"}, timeout=9
    )
    assert answer.status_code == 204
    allowed = answer.headers["Access-Control-Allow-Headers"]
    assert {"authorization", "content-type", "x-retry-count"} <= set(allowed.split(", "))

    answer = requests.get(f"{web.url}/v1/projects/{web.public_key}/settings", timeout=9)
    own = answer.json()["integrations"]["Segment.io"]
    assert own["apiKey"] == web.public_key
    assert f"{own['protocol']}://{own['apiHost']}" == f"{web.url}/v1"
    assert requests.get(f"{web.url}/v1/projects/x/settings", timeout=9).status_code == 404


def test_other_addresses_and_methods_are_refused(web):
    assert requests.get(f"{web.url}/v1/track", timeout=9).status_code == 405
    for path in ("/v1/", "/v1/nothing", "/v1//track/x", "/v1/projects//settings"):
        assert requests.get(web.url + path, timeout=9).status_code == 404


def test_the_state_of_the_process_can_be_asked_for(web):
    web.post("/v1/batch", {"batch": [view(1), 7]})
    assert requests.get(f"{web.url}/livez", timeout=9).text == "ok\n"
    assert requests.get(f"{web.url}/readyz", timeout=9).text == "ready\n"
    lines = requests.get(f"{web.url}/metrics", timeout=9).text.splitlines()
    assert 'funnel_ingest_messages_total{outcome="accepted",reason=""} 1' in lines
    assert 'funnel_ingest_messages_total{outcome="rejected",reason="not_an_object"} 1' in lines
    assert "funnel_events_pending 1" in lines
    proxied = requests.get(f"{web.url}/metrics", headers={"X-Forwarded-For": "8.8.8.8"}, timeout=9)
    assert proxied.status_code == 404


def test_the_examples_of_the_segment_specification_are_accepted_or_refused_with_a_reason(web):
    payloads = [entry["payload"] for entry in json.loads(real_file("segment_payloads.json"))]
    answer = web.post("/v1/batch", {"batch": payloads}).json()
    left_out = {line["reason"] for line in answer["rejected"]}
    assert left_out <= {"no_identity", "unknown_type"}
    assert counted()["received"] == 76
    assert counted()["accepted"] == Event.objects.count()
    assert counted()["accepted"] + counted()["duplicate"] == 76 - len(answer["rejected"])
    assert Event.objects.filter(kind__startswith="email_").count() == 6
