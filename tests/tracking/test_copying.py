"""Large groups are copied; nobody can tell from what is stored."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import event_loop
from tests.shared_data import real_file
from tracking.binary_rows import STRETCH
from tracking.collector import copying
from tracking.collector.copying import Copier
from tracking.collector.database import Link
from tracking.collector.writer import Submission, Writer
from tracking.ingest import Dropped, Envelope, prepare
from tracking.models import (
    Event,
    IngestCount,
    InspectedMessage,
    PendingEvent,
    PurgedMessage,
    QuarantinedMessage,
    Source,
)
from tracking.storing import STORE, store_parameters

pytestmark = pytest.mark.django_db(transaction=True, available_apps=["tracking"])

NOON = datetime(2026, 5, 5, 12, tzinfo=UTC)
COMPARED = [
    field.column for field in Event._meta.concrete_fields
    if field.column not in ("id", "source_id", "received_at")
]  # fmt: skip

texts = st.text(st.characters(exclude_categories=()), max_size=30) | st.sampled_from(
    [
        "a\tb\\N\nc",
        "\\.",
        "\\x41",
        "가격 – 💶",
        "\0",
        "\ud800",
        '{"a": "b"}',
        "2026-05-05T11:00:00Z",
    ]
)
plain = (
    st.none() | st.booleans() | st.integers() | st.floats() | texts
    | st.sampled_from([2**53, 2**64, -(2**63), 1e308, -0.0, float("nan")])
)  # fmt: skip
anything = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=4)
)
messages = st.fixed_dictionaries(
    {"type": st.sampled_from(["page", "track", "identify", "group", "screen", "alias"])},
    optional={
        "event": texts | st.just("Email Opened"),
        "name": texts,
        "userId": texts,
        "timestamp": texts | st.integers() | st.floats() | st.datetimes().map(datetime.isoformat),
        "sentAt": texts | st.datetimes().map(datetime.isoformat),
        "properties": st.dictionaries(texts | st.sampled_from(["url", "title"]), anything),
        "traits": st.dictionaries(texts, anything),
        "context": st.dictionaries(texts | st.sampled_from(["webdriver", "page"]), anything),
    },
)


@pytest.fixture
def sources() -> tuple[Source, Source]:
    return Source.objects.create(name="Copied"), Source.objects.create(name="Stored")


def rows_of(listed: list[dict], source: Source) -> list[dict]:
    """Prepared rows of the messages that can be prepared; received at noon."""
    envelope = Envelope(source.pk, False, NOON, user_agent="HeadlessChrome/1.2", ip="10.1.2.3")
    rows = []
    for message in listed:
        try:
            rows.append(prepare({"anonymousId": "v1", **message}, envelope))
        except Dropped:
            continue
    return rows


def views(source: Source, count: int) -> list[dict]:
    return rows_of([{"type": "page", "messageId": f"m{n}"} for n in range(count)], source)


def copy(rows: list[dict], rejects: dict | None = None, notes: list | None = None) -> bool:
    async def run() -> bool:
        link = Link()
        try:
            return await Copier(link).store(rows, rejects or {}, notes or [])
        finally:
            await link.close()

    return event_loop.run(run())


def write(*groups: list[dict]) -> None:
    """As a web process: each group waits and is stored before the next comes."""

    async def run() -> None:
        writer = Writer()
        writer.start()
        for rows in groups:
            await writer.store(Submission(rows, {}, 1))
        await writer.stop()

    event_loop.run(run())


def store(rows: list[dict]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(STORE, store_parameters(rows, {}))


def stored(source: Source, ids: list[str]) -> list[tuple]:
    """As text, for NaN and -0.0 are not what they seem."""
    columns = ", ".join(f"{name}::text" for name in COMPARED)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {columns} FROM tracking_event"
            " WHERE source_id = %s AND message_id = ANY(%s) ORDER BY id",
            [source.pk, ids],
        )
        return cursor.fetchall()


def counts(source: Source) -> dict[str, int]:
    return dict(IngestCount.objects.filter(source=source).values_list("outcome", "count"))


def compare(listed: list[dict], copied: Source, by_statement: Source) -> None:
    listed = [{**message, "messageId": uuid.uuid4().hex} for message in listed]
    first, second = rows_of(listed, copied), rows_of(listed, by_statement)
    if not first:
        return
    assert copy(first)
    store(second)
    ids = [row["message_id"] for row in first]
    assert stored(copied, ids) == stored(by_statement, ids)
    assert len(stored(copied, ids)) == len(ids)


def test_made_up_messages_are_stored_alike(sources, monkeypatch):
    monkeypatch.setattr(copying, "FEWEST", 1)

    @given(st.lists(messages, min_size=1, max_size=8))
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    def check(listed: list[dict]) -> None:
        compare(listed, *sources)

    check()


def test_the_examples_of_the_segment_specification_are_stored_alike(sources, monkeypatch):
    monkeypatch.setattr(copying, "FEWEST", 1)
    payloads = [entry["payload"] for entry in json.loads(real_file("segment_payloads.json"))]
    compare([each for each in payloads if isinstance(each, dict)], *sources)


def test_a_large_group_is_stored_counted_noted_and_left_to_the_relay(sources):
    source, _other = sources
    rows = views(source, 250)
    rows[7]["occurred_at"] = datetime.now(UTC) + timedelta(days=1)
    note = {
        "source_id": source.pk, "key_id": None, "call": "batch", "message_id": "m3",
        "reason": "", "payload": None,
    }  # fmt: skip
    refused = {**note, "message_id": "x", "reason": "no_identity", "payload": {"a": 1}}
    assert copy(rows, {(source.pk, "no_identity"): 2}, [note, refused])
    assert list(Event.objects.order_by("id").values_list("message_id", flat=True)) == [
        f"m{n}" for n in range(250)
    ]
    assert set(PendingEvent.objects.values_list("pk", flat=True)) == set(
        Event.objects.values_list("pk", flat=True)
    )
    assert counts(source) == {"received": 252, "accepted": 250, "rejected": 2}
    assert set(InspectedMessage.objects.values_list("message_id", "outcome")) == {
        ("m3", "accepted"),
        ("x", "rejected"),
    }
    early = Event.objects.get(message_id="m7")
    assert early.occurred_at == early.received_at  # nothing happens in the future


Arrange = Callable[[Source], list[dict]]


def one_that_is_stored(source: Source) -> list[dict]:
    store(views(source, 1))
    return views(source, 150)


def one_that_comes_twice(source: Source) -> list[dict]:
    rows = views(source, 149)
    return [*rows, dict(rows[0])]


def one_that_was_purged(source: Source) -> list[dict]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tracking_message_digest(%s, 'm5')", [source.pk])
        PurgedMessage.objects.create(digest=cursor.fetchone()[0])
    return views(source, 150)


@pytest.mark.parametrize("arrange", [one_that_is_stored, one_that_comes_twice, one_that_was_purged])
def test_a_message_that_comes_again_is_a_duplicate(sources, arrange: Arrange):
    source, _other = sources
    rows = arrange(source)
    before = Event.objects.count()
    assert not copy(rows)
    assert Event.objects.count() == before
    write(rows, views(source, 160))
    assert Event.objects.filter(message_id="m5").count() == (arrange is not one_that_was_purged)
    total = counts(source)
    assert total["duplicate"] == total["received"] - total["accepted"] >= 150
    assert total["accepted"] == Event.objects.count() == PendingEvent.objects.count()


def test_copying_goes_on_beside_purged_messages(sources):
    PurgedMessage.objects.create(digest=uuid.uuid4())
    assert copy(views(sources[0], 2 * STRETCH + 7))
    assert Event.objects.count() == 2 * STRETCH + 7


def test_a_row_that_cannot_be_stored_is_set_aside_alone(sources):
    source, _other = sources
    rows = views(source, 300)
    rows[123]["kind"] = "x" * 101
    rows[200]["title"] = "\ud800"
    write(rows)
    assert Event.objects.count() == 298
    assert set(QuarantinedMessage.objects.values_list("step", flat=True)) == {"store"}
    assert counts(source) == {"received": 300, "accepted": 298, "quarantined": 2}
