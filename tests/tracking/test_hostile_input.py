"""Whatever arrives, the answer is never a 5xx, and the last-resort guard has nothing to do."""

from __future__ import annotations

import json
import random
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

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
PATHS = ["track", "identify", "page", "screen", "group", "alias", "batch", "import", "t", "b"]


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


def body(dice: random.Random) -> tuple[str, bytes]:
    path = dice.choice(PATHS)
    text = message(dice)
    if path in ("batch", "import", "b"):
        others = [message(dice) for _ in range(dice.randint(0, 3))]
        batch = f"[{','.join([text, *others])}]"
        text = as_object({"batch": batch, "sentAt": dice.choice(KILLERS)})
    data = text.encode()
    if dice.random() < 0.15:  # break it
        place = dice.randrange(len(data))
        data = data[:place] + bytes(dice.choices(range(256), k=dice.randint(0, 9))) + data[place:]
    return path, data


def test_hundreds_of_malformed_requests_never_cause_a_5xx(web):
    dice = random.Random(2026)
    requests_to_make = [body(dice) for _ in range(600)]
    with requests.Session() as session:
        session.auth = (web.public_key, "")

        def send(request: tuple[str, bytes]) -> tuple[int, bytes]:
            path, data = request
            answer = session.post(f"{web.url}/v1/{path}", data, timeout=20)
            return answer.status_code, data

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(send, requests_to_make))
    wrong = [(status, data[:300]) for status, data in answers if status not in (200, 400, 413)]
    assert wrong == []
    assert not QuarantinedMessage.objects.exists()
    assert Event.objects.count() > 100
    assert "funnel_ingest_guarded_total 0" in requests.get(f"{web.url}/metrics", timeout=9).text


def test_each_killer_alone_in_every_place(web):
    plain = {"type": '"track"', "event": '"x"', "userId": '"u"'}
    for killer in KILLERS:
        messages = [as_object(plain | {place: killer}) for place in FIELDS]
        text = as_object({"batch": f"[{','.join(messages)}]"})
        answer = requests.post(f"{web.url}/v1/batch", text, auth=(web.public_key, ""), timeout=20)
        assert answer.status_code in (200, 400), killer
    assert not QuarantinedMessage.objects.exists()


def test_the_query_of_a_pixel_may_be_anything(web):
    strange = f"writeKey={web.public_key}&event=%00&userId=%ed%a0%80&timestamp=%f0"
    plain = ["", "writeKey", "writeKey=%00", "data=" + "e" * 5000, "%", "a=%ff&" * 500]
    for query in (*plain, strange):
        answer = requests.get(f"{web.url}/v1/pixel.gif?{query}", timeout=9)
        assert answer.status_code in (200, 400, 401)


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
