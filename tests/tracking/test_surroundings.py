"""Messages of one request are read together exactly as each alone."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from tests.tracking.conftest import FIREFOX
from tracking.ingest import prepare
from tracking.staff_marks import staff_mark
from tracking.surroundings import Contexts, Envelope

NOON = datetime(2026, 5, 5, 12, tzinfo=UTC)
ENVELOPE = Envelope(1, False, NOON, "page", user_agent=FIREFOX, ip="10.1.2.3")

# What Python takes for equal, and what orjson refuses, beside the usual.
values = st.sampled_from(
    [None, True, 1, 1.0, 0, False, 0.0, -0.0, float("nan"), 2**53, 2**54, 2**70, "", "1", "\ud800"]
)
contexts = st.dictionaries(
    st.sampled_from(["webdriver", "staff", "locale", "userAgent", "ip", "page", "traits"]),
    values
    | st.dictionaries(st.sampled_from(["url", "title", "email"]), values)
    | st.sampled_from(["curl/8", "Googlebot/2.1", "10.9.8.7", {"url": "https://a.example/b"}]),
    max_size=4,
)


def message(context: object) -> dict:
    return {"anonymousId": "v1", "messageId": "m1", "context": context}


@given(
    st.lists(contexts | values, max_size=6),
    st.booleans(),
    st.none() | st.just({"locale": "de", "page": {"title": "Shared"}}),
)
def test_contexts_of_one_request_are_read_as_each_alone(listed, is_trusted, shared):
    envelope = ENVELOPE._replace(is_trusted=is_trusted, context=shared)
    together = Contexts(envelope)
    for context in listed:
        alone = prepare(message(context), envelope)
        assert repr(prepare(message(context), envelope, together)) == repr(alone)


def test_the_same_context_is_read_once():
    together = Contexts(ENVELOPE)
    first = together.read({"locale": "de", "webdriver": 1})
    assert together.read({"locale": "de", "webdriver": 1}) is first
    assert (first.signals, first.verdict) == ([], 0)
    told = together.read({"locale": "de", "webdriver": True})
    assert (told.signals, told.verdict) == (["webdriver"], 2)


def test_who_is_one_of_us_is_a_secret():
    """With a public key anybody may say anything; a trusted source is believed."""
    mark = staff_mark(1)
    for said in (True, 1, "", "1", mark[:-1], mark + " ", staff_mark(2), [mark], {"a": mark}):
        read = Contexts(ENVELOPE).read({"staff": said})
        assert ("staff" in read.context, read.signals) == (False, [])
    for envelope, said in ((ENVELOPE, mark), (ENVELOPE._replace(is_trusted=True), True)):
        read = Contexts(envelope).read({"staff": said})
        assert (read.context["staff"], read.signals) == (True, ["staff_flag"])


def test_an_opened_mail_is_judged_by_what_its_sender_says_though_its_context_was_read_before():
    together = Contexts(ENVELOPE._replace(call="track"))
    spec = {"event": "Email Opened", "userId": "u1"}
    plain = prepare(spec, ENVELOPE._replace(call="track"), together)
    opened = prepare(
        {**spec, "properties": {"sg_machine_open": True}},
        ENVELOPE._replace(call="track"),
        together,
    )
    assert plain["verdict_signals"] == []
    assert opened["verdict_signals"] == ["privacy_proxy"]
