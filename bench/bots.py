"""A storm of requests that no human sends, numbered, and the figures that they must not change.

Used by python -m bench.bot_storm and, with fewer requests, by the tests.
"""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.client import HTTPConnection
from itertools import islice
from typing import NamedTuple

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
HEADLESS = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/140.0 Safari/537.36"
VICTIM = "ada@acme.example"  # a lead whose mail a scanner clicks through
BURST = 25  # page views of one visitor in one second
LINKS = 5  # different links of one mail in one second
ROUND = 8  # kinds of requests
# A storm is a whole number of these, so that each burst is complete.
UNIT = ROUND * BURST


class Request(NamedTuple):
    method: str
    path: str
    headers: dict[str, str]
    body: str | None


# What would change if a bot counted; each is one SQL query for one text.
FIGURES = {
    "visitors": "SELECT count(*) FROM tracking_visitor",
    "leads": "SELECT count(*) FROM leads_lead",
    "stages": "SELECT json_agg(e ORDER BY e.id) FROM"
    " (SELECT id, lead_id, stage FROM leads_stageepisode) e",
    "consents": "SELECT count(*) FROM leads_consent",
    "events that count": "SELECT count(*) FROM tracking_event WHERE verdict < 2",
    "points": "SELECT json_agg(f ORDER BY f.lead_id) FROM"
    " (SELECT lead_id, sums FROM scoring_leadfeature) f",
    "last activity": "SELECT json_agg(s ORDER BY s.lead_id) FROM"
    " (SELECT lead_id, at FROM leads_lastactivity) s",
    "human visits": "SELECT json_agg(v ORDER BY v.anonymous_id, v.started_at) FROM (SELECT"
    " anonymous_id, started_at, page_views, channel FROM tracking_visit WHERE NOT is_machine) v",
    "hand-offs": "SELECT count(*) FROM sales_handoff",
}  # fmt: skip


def storm(count: int, public_key: str, secret_key: str, name: str = "s") -> Iterator[Request]:
    """`count` requests, a multiple of UNIT, always the same ones."""
    assert count % UNIT == 0, f"{count} is no multiple of {UNIT}"
    now = datetime.now(UTC).isoformat()
    for number in range(count):
        yield _request(number, f"{name}{number}", now, public_key, secret_key)


def _request(number: int, unique: str, now: str, public: str, secret: str) -> Request:
    nth, kind = divmod(number, ROUND)
    page: dict[str, object] = {"messageId": unique, "anonymousId": f"bot-{unique}"}
    page["timestamp"] = now
    page["properties"] = {"url": f"https://us.example/{nth}", "path": f"/{nth}"}
    pixel = f"/v1/pixel.gif?writeKey={public}&anonymousId=bot-{unique}&messageId={unique}&name=Home"
    match kind:
        case 0:
            return Request("GET", pixel, {"User-Agent": GOOGLEBOT}, None)
        case 1:
            return Request("HEAD", pixel, {"User-Agent": FIREFOX}, None)
        case 2:
            return post("page", page, HEADLESS, public)
        case 3:
            form = page | {"event": "Form Submitted"}
            form["properties"] = {"email": f"bot{unique}@spam.example", "consent": True}
            return post("track", form, GOOGLEBOT, public)
        case 4:
            return post("page", page | {"context": {"webdriver": True}}, FIREFOX, public)
        case 5:
            burst = f"burst-{unique[:1]}{nth // BURST}"
            return post("page", page | {"anonymousId": burst}, FIREFOX, public)
        case 6:
            return Request("GET", pixel, {"User-Agent": "curl/8.5.0"}, None)
    click: dict[str, object] = {
        "messageId": unique,
        "event": "Email Link Clicked",
        "timestamp": now,
    }
    mail, link = divmod(nth, LINKS)
    click["properties"] = {
        "email": VICTIM, "email_id": f"mail {mail}", "link_url": f"https://us.example/{link}",
    }  # fmt: skip
    return post("track", click | {"context": {"userAgent": FIREFOX}}, "provider/1.0", secret)


def post(call: str, message: dict, agent: str, key: str) -> Request:
    auth = base64.b64encode(f"{key}:".encode()).decode()
    headers = {
        "User-Agent": agent, "Authorization": f"Basic {auth}", "Content-Type": "application/json"
    }  # fmt: skip
    return Request("POST", f"/v1/{call}", headers, json.dumps(message))


def send(host: str, port: int, requests: Iterator[Request], callers: int = 24) -> list[int]:
    """Send them over so many connections; returns the statuses that were not 200."""
    wrong: list[int] = []
    turn = threading.Lock()

    def keep_sending() -> None:
        link = HTTPConnection(host, port, timeout=30)
        while True:
            with turn:
                some = list(islice(requests, 50))
            if not some:
                return
            for request in some:
                link.request(request.method, request.path, request.body, request.headers)
                answer = link.getresponse()
                answer.read()
                if answer.status != 200:
                    wrong.append(answer.status)

    threads = [threading.Thread(target=keep_sending) for _ in range(callers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong
