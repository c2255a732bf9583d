"""Whatever arrives, the answer is never a 5xx, and the last-resort guard has nothing to do.

More than 2,000 requests over every public address: each measured killer in every place, dice,
and documents that hypothesis makes up.
"""

from __future__ import annotations

import base64
import gzip
import json
import random
import socket
import time
from urllib.parse import quote

import pytest
import requests
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.tracking.raw_http import Request, send_all
from tracking.models import Event, QuarantinedMessage

pytestmark = [
    pytest.mark.servers,
    pytest.mark.django_db(transaction=True, available_apps=["tracking"]),
]

# JSON values that have broken somebody's collector, as text because json.dumps refuses some.
KILLERS = [
    '"\\u0000"', '"\\ud800"', '"\\udfff\\ud800"', '"a\\u0000b"', "NaN", "Infinity", "-Infinity",
    "1e999", "-0.0", "9" * 5000, "-" + "9" * 400, "0.1e-400", "[" * 2000 + "]" * 2000,
    '{"a":' * 500 + "1" + "}" * 500, '""', "null", "true", "[]", "{}", '[{"a": [null]}]',
    '"' + "x" * 9000 + '"', '"0000-00-00T00:00:00Z"', '"9999-12-31T23:59:59.999999-23:59"',
    '"0001-01-01T00:00:00+23:59"', "253402300800", "-62135596801", "1e20", '"1e400"', '"٣"',
    '"\'; DROP TABLE tracking_event; --"', '"<script>alert(1)</script>"', '"%s%n{0}"', '"\\u202e"',
    '"\\\\N"', '"\\t\\n\\r\\\\"', '{"": ""}', '{"__proto__": {"a": 1}, "\\u0000": 1}',
]  # fmt: skip
FIELDS = [
    "type", "event", "name", "userId", "anonymousId", "messageId", "timestamp", "originalTimestamp",
    "sentAt", "properties", "traits", "context", "groupId", "previousId",
    "integrations", "writeKey",
]  # fmt: skip
INNER = [
    "page",
    "campaign",
    "ip",
    "userAgent",
    "traits",
    "url",
    "path",
    "referrer",
    "title",
    "email",
]
PATHS = [
    "track", "identify", "page", "screen", "group", "alias", "batch", "import", "t", "b",
    "i", "p/", "s", "g/", "a", "batch/",
]  # fmt: skip
BATCHES = ("batch", "import", "b", "batch/")
REFUSALS = (200, 400, 413)


def message(dice: random.Random) -> str:
    """One message with a few of its fields replaced by something dreadful."""
    fields = {"type": '"track"', "event": '"x"', "userId": '"u"', "messageId": f'"{dice.random()}"'}
    for _ in range(dice.randint(1, 4)):
        value = dice.choice(KILLERS)
        if dice.random() < 0.4:
            value = as_object({dice.choice(INNER): value})
        fields[dice.choice(FIELDS)] = value
    return as_object(fields)


def as_object(fields: dict[str, str]) -> str:
    """A JSON object of values that are JSON already, or are meant not to be."""
    return "{" + ",".join(f'"{name}": {value}' for name, value in fields.items()) + "}"


def not_5xx(web, sent: list[Request], statuses: tuple[int, ...] = REFUSALS) -> bool:
    """Send all; every answer is one of `statuses`, and nothing got past the clean-up."""
    answers = send_all(web.url, sent)
    wrong = [
        (status, request.path[:200], request.headers, request.body[:200])
        for status, request in zip(answers, sent, strict=True)
        if status not in statuses
    ]
    assert wrong == []
    assert not QuarantinedMessage.objects.exists()
    return not_guarded(web)


def not_guarded(web) -> bool:
    return "funnel_ingest_guarded_total 0" in requests.get(f"{web.url}/metrics", timeout=9).text


def body(dice: random.Random) -> tuple[str, bytes]:
    path = dice.choice(PATHS)
    text = message(dice)
    if path in BATCHES:
        others = [message(dice) for _ in range(dice.randint(0, 3))]
        batch = f"[{','.join([text, *others])}]"
        text = as_object({"batch": batch, "sentAt": dice.choice(KILLERS)})
    data = text.encode()
    if dice.random() < 0.15:  # break it
        place = dice.randrange(len(data))
        data = data[:place] + bytes(dice.choices(range(256), k=dice.randint(0, 9))) + data[place:]
    return path, data


def test_a_thousand_malformed_requests_never_cause_a_5xx(web):
    dice = random.Random(2026)
    sent = []
    for _ in range(1200):
        path, data = body(dice)
        headers: tuple[tuple[str, bytes], ...] = ()
        if dice.random() < 0.2:
            data, headers = gzip.compress(data, 1), (("content-encoding", b"gzip"),)
            if dice.random() < 0.5:  # cut off, or with something in its middle
                data = data[: len(data) // 2] + dice.choice([b"", b"\xff\x00"])
        key = dice.choice([web.public_key, web.secret_key])
        sent.append(Request("POST", f"/v1/{path}", data, key, headers))
    assert not_5xx(web, sent)
    assert Event.objects.count() > 100


def test_no_document_that_can_be_made_up_causes_a_5xx(web):
    text = st.text(st.characters(exclude_categories=()), max_size=20)
    leaf = st.none() | st.booleans() | st.integers() | st.floats() | text
    anything = st.recursive(
        leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
        max_leaves=6,
    )  # fmt: skip
    known = st.dictionaries(st.sampled_from(FIELDS[:-1]), anything, max_size=5)
    sent = []

    @settings(
        max_examples=300, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck), derandomize=True,
    )  # fmt: skip
    @given(document=known | anything, path=st.sampled_from(PATHS))
    def make_up(document, path):
        if path in BATCHES:
            document = {"batch": document if isinstance(document, list) else [document]}
        sent.append(Request("POST", f"/v1/{path}", json.dumps(document).encode(), web.public_key))

    make_up()
    assert len(sent) >= 300
    # A bare list or number has no batch: 400. An empty batch: 200.
    assert not_5xx(web, sent)


def test_each_killer_alone_in_every_place(web):
    plain = {"type": '"track"', "event": '"x"', "userId": '"u"'}
    sent = []
    for killer in KILLERS:
        messages = [as_object(plain | {place: killer}) for place in FIELDS]
        text = as_object({"batch": f"[{','.join(messages)}]"})
        sent.append(Request("POST", "/v1/batch", text.encode(), web.public_key))
        inner = as_object(dict.fromkeys(INNER, killer))
        for place in ("context", "properties", "traits"):
            text = as_object(plain | {place: inner})
            sent.append(Request("POST", "/v1/track", text.encode(), web.secret_key))
    assert not_5xx(web, sent)


def test_what_is_nested_a_hundred_thousand_deep_is_refused(web):
    sent = []
    for path in PATHS:
        for open_, close in (("[", "]"), ('{"a":', "}")):
            deep = open_ * 80_000 + "1" + close * 80_000
            texts = (deep, open_ * 100_000, f'{{"batch": [{{"properties": {deep}}}]}}')
            sent += [Request("POST", f"/v1/{path}", t.encode(), web.public_key) for t in texts]
    assert not_5xx(web, sent, (400, 413))


def test_the_query_of_a_pixel_may_be_anything(web):
    dice, key = random.Random(7), web.public_key
    queries = [
        "", "writeKey", "writeKey=%00", "data=" + "e" * 5000, "%", "a=%ff&" * 500,
        f"writeKey={key}&event=%00&userId=%ed%a0%80&timestamp=%f0",
    ]  # fmt: skip
    for _ in range(150):
        said = base64.b64encode(body(dice)[1]).decode()
        if dice.random() < 0.5:
            said = said[: dice.randrange(len(said))] + dice.choice(["", "=", "!", "\0", "é"])
        queries.append(f"writeKey={key}&data={quote(said[:6000])}")
        named = f"{dice.choice(FIELDS)}={quote(dice.choice(KILLERS)[:2000])}"
        email = quote(dice.choice(KILLERS))[:99]
        queries.append(f"writeKey={key}&event=x&userId=u&{named}&email={email}")
    places = ("pixel.gif", "pixel/track", "pixel/identify")
    sent = [
        Request(dice.choice(["GET", "GET", "GET", "HEAD"]), f"/v1/{dice.choice(places)}?{query}")
        for query in queries
    ]
    assert not_5xx(web, sent, (200, 400, 401))


def test_headers_may_be_anything(web):
    wild = [
        b"\xff\xfe", b"x" * 20_000, b"null", b"\t", b'a, b; c="', b"=?utf-8?q?x?=", b"-1", b"Basic",
        "🙈".encode(), b"Basic /w==", b"Bearer \xed\xa0\x80",
    ]  # fmt: skip
    names = [
        "authorization", "user-agent", "origin", "referer", "content-type", "sec-purpose",
        "content-encoding", "x-forwarded-for", "access-control-request-headers", "cookie",
    ]  # fmt: skip
    data = json.dumps({"userId": "u", "event": "x", "writeKey": web.public_key}).encode()
    pixel = f"/v1/pixel.gif?writeKey={web.public_key}&userId=u"
    sent = []
    for name in names:
        for value in wild:
            headers = ((name, value),)
            sent += [
                Request("POST", "/v1/track", data, headers=headers),
                Request("OPTIONS", "/v1/track", headers=headers),
                Request("GET", f"/v1/projects/{web.public_key}/settings", headers=headers),
                Request("GET", pixel, headers=headers),
            ]
    assert not_5xx(web, sent, (200, 204, 400, 401, 431))


def test_every_other_address_of_the_api_refuses_politely(web):
    places = [
        "", "projects//settings", "projects/%00/settings", "projects/a/b/settings", "%ff",
        "track/../batch", "..%2f", "pixel", "pixel/batch", "t.js%00", "%C3%A9", "x" * 3000,
    ]  # fmt: skip
    methods = ("GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS")
    sent = [Request(method, f"/v1/{place}", b"{") for place in places for method in methods]
    assert not_5xx(web, sent, (200, 204, 400, 401, 404, 405))


def test_strange_http_is_refused(web):
    host, port = web.url.removeprefix("http://").split(":")
    for raw in (
        b"GET /caf\xc3\xa9?\xff HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /?\xff=1 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /user/login/ HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n",
        b"\x00\x01\x02\r\n\r\n",
    ):
        with socket.create_connection((host, int(port)), 9) as line:
            line.sendall(raw)
            assert line.recv(100).split(b" ")[1][:1] == b"4"


def test_slow_and_half_open_clients_hold_up_nobody(web):
    host, port = web.url.removeprefix("http://").split(":")
    starts = [
        b"",
        b"POST /v1/track HTTP/1.1\r\nHost: x\r\n",
        b"POST /v1/track HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n{",
        b"POST /user/login/ HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\na",
    ]
    lines = [socket.create_connection((host, int(port)), 9) for _ in range(400)]
    for number, line in enumerate(lines):
        line.sendall(starts[number % len(starts)])
    waits = []
    for number in range(40):
        began = time.monotonic()
        assert web.post("/v1/page", {"anonymousId": "v", "messageId": f"m{number}"}).ok
        assert requests.get(f"{web.url}/user/login/", timeout=20).ok
        waits.append(time.monotonic() - began)
    for line in lines:
        line.close()
    assert sorted(waits)[-2] < 2.0
    assert Event.objects.count() == 40


def test_what_people_said_is_stored_as_they_said_it(web):
    text = "Ünïcödé 가격 💶 \\ \"quoted\" 'single' \t tab \n line <b>&amp;</b>"
    web.post("/v1/track", {"userId": "u", "event": "x", "properties": {"text": text}})
    assert Event.objects.get().properties == {"text": text}
    assert json.dumps(Event.objects.get().properties)


def test_settings_repeat_no_secret_key_and_no_host_that_is_not_ours(web):
    answer = requests.get(f"{web.url}/v1/projects/{web.secret_key}/settings", timeout=9)
    assert answer.status_code == 404 and web.secret_key not in answer.text
    address = f"{web.url}/v1/projects/{web.public_key}/settings"
    for host in ("evil.example", "evil.example:443", "localhost.evil.example", "a@localhost", "["):
        answer = requests.get(address, headers={"Host": host}, timeout=9)
        assert (answer.status_code, answer.json()["code"]) == (400, "unknown_host"), host
        assert host not in answer.text
    answer = requests.get(address, headers={"Host": "localhost:81"}, timeout=9)
    assert answer.json()["integrations"]["Segment.io"]["apiHost"] == "localhost:81/v1"
    message = {"userId": "u1", "event": "Tour Watched"}  # events are taken, whatever the host says
    taken = web.post("/v1/track", message, headers={"Host": "evil.example"})
    assert taken.status_code == 200 and Event.objects.count() == 1
