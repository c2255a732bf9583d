"""PostgreSQL away, killed or hanging: only 503 with Retry-After, soon, and then as before."""

from __future__ import annotations

import time

import pytest
import requests

from tests.tracking import running
from tests.tracking.cutting import Cut
from tests.tracking.running import Web
from tracking.keys import issue_key
from tracking.models import Event, Source

pytestmark = [
    pytest.mark.servers,
    pytest.mark.django_db(transaction=True, available_apps=["tracking"]),
]

LONGEST = 5.0  # seconds until an answer


@pytest.fixture(scope="module")
def behind_a_cut(request):
    """A web process that reaches the database through a Cut."""
    request.getfixturevalue("django_db_setup")
    cut = Cut()
    with running.web_process(cut.url(running.test_database_url())) as url:
        yield cut, url
    cut.listener.close()


@pytest.fixture
def cut(behind_a_cut):
    behind_a_cut[0].mend()
    return behind_a_cut[0]


@pytest.fixture
def web(transactional_db, behind_a_cut) -> Web:
    source = Source.objects.create(name="Served")
    key = issue_key(source, is_secret=False)[1]
    return Web(behind_a_cut[1], public_key=key, secret_key="", source=source)


def view(number: int) -> dict:
    return {"anonymousId": "v1", "messageId": f"m{number}"}


def answers_503(send) -> None:
    began = time.monotonic()
    answer = send()
    assert (answer.status_code, time.monotonic() - began < LONGEST) == (503, True)
    assert int(answer.headers["Retry-After"]) > 0


def answers_again(send) -> None:
    deadline = time.monotonic() + 10
    while (answer := send()).status_code != 200:
        assert answer.status_code == 503
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.parametrize("trouble", ["cut", "hang"])
def test_events_wait_with_their_sender_while_the_database_is_away(web, cut, trouble):
    assert web.post("/v1/page", view(1)).status_code == 200
    getattr(cut, trouble)()
    for number in range(2, 5):
        answers_503(lambda n=number: web.post("/v1/page", view(n)))
        answers_503(
            lambda n=number: web.post("/v1/batch", {"batch": [{"type": "page", **view(n)}]})
        )
    assert requests.get(f"{web.url}/livez", timeout=9).ok
    assert requests.get(f"{web.url}/readyz", timeout=9).status_code == 503
    assert "funnel_database_up 0" in requests.get(f"{web.url}/metrics", timeout=9).text
    pixel = {"writeKey": web.public_key, "userId": "u"}
    assert requests.get(f"{web.url}/v1/pixel.gif", pixel, timeout=9).status_code == 503

    cut.mend()
    for number in range(1, 5):
        answers_again(lambda n=number: web.post("/v1/page", view(n)))
    assert sorted(Event.objects.values_list("message_id", flat=True)) == ["m1", "m2", "m3", "m4"]


def test_pages_say_when_to_come_again_while_the_database_is_away(web, cut):
    def sign_in() -> requests.Response:
        return requests.get(f"{web.url}/user/login/", cookies={"sessionid": "x" * 32}, timeout=9)

    answers_again(sign_in)
    cut.cut()
    for _ in range(2):
        answers_503(sign_in)
    cut.mend()
    answers_again(sign_in)
