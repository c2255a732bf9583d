"""The last messages of a source: seen with their reasons, mended, replayed; and the books."""

from __future__ import annotations

import time
from html import unescape

import psycopg
import pytest
import requests
from django.db import connection
from django.test import Client
from django.urls import reverse

from leads.actors import Actor
from leads.models import AuditEntry
from leads.refusals import Refused
from tests.tracking.test_collector import counted, view
from tracking import accounting, debugger, inspection
from tracking.collector.keys import Sender
from tracking.collector.notebook import AT_ONCE, Notebook
from tracking.collector.reading import Harvest
from tracking.ingest import DOES
from tracking.models import Event, InspectedMessage, QuarantinedMessage, TurnedAway, WriteKey
from tracking.presentable import presentable
from tracking.steps import MESSAGE, STEP_OF, STEPS, Reason
from tracking.verifying import CHECKS

SYSTEM = Actor.system("Test")
served = [
    pytest.mark.servers,
    pytest.mark.django_db(transaction=True, available_apps=["tracking"]),
]


def balanced() -> bool:
    with connection.cursor() as cursor:
        for check in CHECKS[:4]:
            cursor.execute(check.sql)
            assert cursor.fetchall() == [], check.name
    return True


class TestWhatIsNoted:
    pytestmark = served

    def test_each_outcome_is_shown_with_its_reason_and_key(self, web):
        web.post("/v1/page", view(1, properties={"title": "Prices"}))
        web.post("/v1/page", view(1))
        bad = {"type": "track", "messageId": "m2", "userId": "u", "properties": {"a": 1}}
        web.post("/v1/batch", {"batch": [view(3), bad, 7]})
        web.post("/v1/track", "{")
        lines = inspection.lines_of(web.source)
        told = [(line.message.outcome, line.message.reason, line.message.call) for line in lines]
        assert told == [
            ("rejected", "not_an_object", "track"),
            ("rejected", "not_an_object", "batch"),
            ("rejected", "no_event_name", "batch"),
            ("accepted", "", "batch"),
            ("duplicate", "", "page"),
            ("accepted", "", "page"),
        ]
        assert lines[-1].event.title == "Prices"
        assert lines[2].reason == "A track message has no event name."
        assert lines[2].message.payload == {
            "type": "track", "message_id": "m2", "user_id": "u", "properties": {"a": 1},
        }  # fmt: skip
        assert {line.message.key for line in lines} == {WriteKey.objects.get(key=web.public_key)}
        assert len(inspection.lines_of(web.source, "rejected")) == 3

    def test_neither_keys_nor_addresses_nor_passwords_are_kept(self, web):
        message = {
            "userId": "u",
            "writeKey": web.secret_key,
            "context": {"ip": "203.0.113.77"},
            "properties": {"password": "hunter2", "note": f"my key {web.secret_key}"},
        }
        answer = requests.post(f"{web.url}/v1/track", json=message, timeout=9)
        assert answer.status_code == 400
        kept = InspectedMessage.objects.get().payload
        assert kept["properties"] == {"password": "•••", "note": "my key •••"}
        for secret in (web.secret_key, "203.0.113", "hunter2"):
            assert secret not in str(kept)

    def test_a_flood_is_sampled_and_refused_messages_have_their_own_share(self, web):
        batch = {"batch": [view(n) for n in range(500)]}
        for _ in range(4):
            web.post("/v1/batch", batch)
        web.post("/v1/track", {"userId": "u"})
        notes = InspectedMessage.objects
        assert AT_ONCE <= notes.exclude(outcome="rejected").count() < AT_ONCE * 2
        assert notes.filter(outcome="rejected").count() == 1
        assert counted()["received"] == 2001

    def test_a_quarantined_message_is_shown_and_replayed(self, web):
        with psycopg.connect(dsn()) as other:
            other.execute(
                "ALTER TABLE tracking_event ADD CONSTRAINT no_cats CHECK (name <> 'Cat') NOT VALID"
            )
            other.commit()
            try:
                batch = [
                    {"type": "track", "event": name, "userId": "u", "messageId": name}
                    for name in ("Dog", "Cat", "Cow")
                ]
                assert web.post("/v1/batch", {"batch": batch}).status_code == 200
            finally:
                other.execute("ALTER TABLE tracking_event DROP CONSTRAINT no_cats")
                other.commit()
        told = {line.message.message_id: line for line in inspection.lines_of(web.source)}
        outcomes = {name: line.message.outcome for name, line in told.items()}
        assert outcomes == {"Dog": "accepted", "Cat": "quarantined", "Cow": "accepted"}
        assert "no_cats" in told["Cat"].reason
        assert '"Cat"' in inspection.readable_payload(told["Cat"])
        debugger.replay(told["Cat"].message.pk, by=SYSTEM)
        assert counted() == {"received": 3, "accepted": 3, "quarantined": 0}
        assert QuarantinedMessage.objects.get().replayed_at
        with pytest.raises(Refused, match="replayed already"):
            debugger.replay(told["Cat"].message.pk, by=SYSTEM)
        assert balanced()


def dsn() -> str:
    parameters = connection.get_connection_params()
    return psycopg.conninfo.make_conninfo(
        **{
            k: parameters[k]
            for k in ("dbname", "user", "password", "host", "port")
            if k in parameters
        }
    )


class TestMending:
    pytestmark = served

    def test_a_mended_message_is_stored_once_under_its_own_id_as_of_when_it_came(self, web):
        said = {"messageId": "m1", "userId": "u1", "sentAt": "2026-01-01T00:00:00Z"}
        web.post("/v1/track", {**said, "timestamp": "2026-01-01T00:00:00Z"}, web.secret_key)
        refused = InspectedMessage.objects.get()
        with pytest.raises(Refused, match="has no event name"):
            debugger.mend(refused.pk, refused.payload, by=SYSTEM)
        mended = {**refused.payload, "event": "Call Held", "message_id": "another"}
        debugger.mend(refused.pk, mended, by=SYSTEM)
        event = Event.objects.get()
        assert (event.message_id, event.kind, event.is_trusted) == ("m1", "call_held", True)
        assert abs((event.occurred_at - refused.at).total_seconds()) < 5
        assert counted() == {"received": 1, "accepted": 1, "rejected no_event_name": 0}
        with pytest.raises(Refused, match="mended already"):
            debugger.mend(refused.pk, mended, by=SYSTEM)
        assert web.post("/v1/track", {**said, "event": "Call Held"}, web.secret_key).ok
        assert Event.objects.count() == 1
        assert balanced()

    def test_without_an_id_of_its_own_it_still_counts_once(self, web):
        web.post("/v1/track", {"userId": "u1"})
        refused = InspectedMessage.objects.get()
        debugger.mend(refused.pk, {"user_id": "u1", "event": "Call"}, by=SYSTEM)
        assert Event.objects.get().message_id == f"mended-{refused.pk}"


class TestPages:
    pytestmark = [pytest.mark.django_db]

    @pytest.fixture
    def refused(self, website) -> InspectedMessage:
        key = WriteKey.objects.create(source=website, key="pk_1", prefix="pk_1")
        payload = {"type": "track", "user_id": "u", "properties": {"x": "<script>alert(1)"}}
        from tracking.storing import store

        store([], {(website.pk, "no_event_name"): 1})
        return InspectedMessage.objects.create(
            source=website, key=key, outcome="rejected", reason="no_event_name", call="batch",
            message_id="m1", payload=payload,
        )  # fmt: skip

    def test_a_marketer_sees_mends_and_finds_it_in_the_books(self, mia, client: Client, refused):
        client.force_login(mia)
        listed = client.get(reverse("tracking:messages", args=[refused.source_id])).text
        assert "A track message has no event name." in listed
        page = reverse("tracking:message", args=[refused.pk])
        assert "<script>alert(1)" not in client.get(page).text
        still = client.post(page, {"message": '{"type": "track", "userId": "u"}'})
        assert (still.status_code, "has no event name" in still.text) == (422, True)
        for killer in ("{", "9" * 5_000, '{"n": -%s}' % ("9" * 5_000), "[" * 200_000, "NaN"):
            again = client.post(page, {"message": killer})
            assert (again.status_code, killer[:4_000] in unescape(again.text)) == (422, True)
        mended = '{"type": "track", "event": "Call", "userId": "u"}'
        assert "The message is stored." in client.post(page, {"message": mended}, follow=True).text
        assert Event.objects.get().message_id == "m1"
        assert AuditEntry.objects.filter(verb="mended").count() == 1
        books = accounting.books(7)
        assert [line.difference for line in books.lines] == [0]
        assert (books.total.received, books.total.accepted, books.total.rejected_count) == (1, 1, 0)

    def test_the_books_show_every_step_and_what_does_not_add_up(self, mia, client, refused):
        client.force_login(mia)
        TurnedAway.objects.create(day=accounting.books(7).lines[0].day, reason="no_key", count=5)
        text = client.get(reverse("tracking:books")).text
        assert "no write key" in text
        assert all(f"<code>{step.name}</code>" in text for step in STEPS)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE tracking_ingestcount SET count = 4 WHERE outcome = 'received'")
        books = accounting.books(7)
        assert [line.difference for line in books.lines] == [3]
        assert not books.total.is_balanced


def test_every_reason_belongs_to_one_step_and_every_step_of_a_message_is_done():
    assert set(STEP_OF) == set(Reason)
    assert sum(len(step.reasons) for step in STEPS) == len(Reason)
    assert [step.name for step in MESSAGE] == list(DOES)
    lines = accounting.steps_of(10, {"bad_json": 2, "no_identity": 3})
    assert (lines[0].came, lines[-1].passed) == (10, 5)


def test_a_note_costs_nothing_when_the_budget_is_spent():
    book, sender = Notebook(), Sender(1, 1, False)
    rows = [{"message_id": str(n)} for n in range(1000)]
    assert len(book.take(sender, "batch", Harvest(rows=rows), None)) == AT_ONCE
    began = time.perf_counter()
    for _ in range(1000):
        book.take(sender, "batch", Harvest(rows=rows), None)
    assert time.perf_counter() - began < 0.1


def test_what_is_too_large_or_strange_is_not_shown():
    assert presentable({"a": ["x" * 4000] * 3}) is None
    assert presentable(None) is None
    assert presentable({"Authorization": "Basic abc", "api_key": 7, "apiKey": ""}) == {
        "authorization": "•••", "api_key": "",
    }  # fmt: skip


@pytest.mark.django_db
def test_only_the_last_messages_are_kept(website, crm):
    def note(source, outcome, count, days=0):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO tracking_inspectedmessage (source_id, outcome, at) SELECT %s, %s,"
                " now() - make_interval(days => %s) FROM generate_series(1, %s)",
                [source.pk, outcome, days, count],
            )

    note(website, "accepted", 250)
    note(website, "rejected", 10)
    note(crm, "accepted", 10, days=2)
    assert debugger.trim() == 60
    kept = InspectedMessage.objects.values_list("source_id", "outcome")
    assert kept.filter(source=website, outcome="accepted").count() == 200
    assert kept.filter(source=website, outcome="rejected").count() == 10
    assert not kept.filter(source=crm).exists()
