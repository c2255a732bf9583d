"""Poison, quarantine, several relays at once, and the relay process itself."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import pytest
from django.db import OperationalError, connection

from funnel_app.relay import Drain, keep_draining, run
from leads.refusals import Refused
from tests.tracking import running
from tracking import attaching, quarantine
from tracking.models import Event, IngestCount, PendingEvent, QuarantinedMessage, Visitor
from tracking.signals import event_recorded
from tracking.storing import QUARANTINE, quarantine_parameters


def make_due() -> None:
    PendingEvent.objects.update(due_at="2020-01-01T00:00Z")


@pytest.fixture
def poison():
    """A receiver that cannot stand one event; returns the set of ids it chokes on."""
    bad: set[int] = set()

    def choke(sender, event_ids, **_news):
        if bad & set(event_ids):
            raise ZeroDivisionError("poison")

    event_recorded.connect(choke)
    yield bad
    event_recorded.disconnect(choke)


def test_poison_harms_no_other_event_and_is_set_aside_after_five_attempts(tell, attach, poison):
    tell("Form Submitted", who="v1", email="ada@acme.example")
    attach()
    views = [tell("page", who="v1", path=f"/{number}") for number in range(5)]
    poison.add(views[2].pk)
    for _ in range(5):
        assert not QuarantinedMessage.objects.exists()
        attaching.drain()
        make_due()
    lead = Event.objects.get(pk=views[0].pk).lead
    assert set(lead.events.values_list("path", flat=True)) == {"", "/0", "/1", "/3", "/4"}
    message = QuarantinedMessage.objects.get()
    assert (message.event_id, message.step, message.attempts) == (views[2].pk, "attach", 5)
    assert "poison" in message.reason
    assert attaching.drain() == 0

    poison.clear()
    quarantine.replay(message.pk)
    attach()
    assert Event.objects.get(pk=views[2].pk).lead == lead
    with pytest.raises(Refused):
        quarantine.replay(message.pk)


def test_what_kills_the_process_each_time_is_set_aside_too(tell, attach):
    event = tell("page", who="v1")
    PendingEvent.objects.update(attempts=attaching.MOST_ATTEMPTS)
    attach()
    assert QuarantinedMessage.objects.get().event_id == event.pk
    assert not PendingEvent.objects.exists()


def test_an_attempt_that_ended_with_the_database_does_not_count(tell, monkeypatch):
    tell("page", who="v1")

    def away(event_ids):
        raise OperationalError("server closed the connection unexpectedly")

    with monkeypatch.context() as patch:
        patch.setattr(attaching, "attach", away)
        for _ in range(8):
            with pytest.raises(OperationalError):
                attaching.drain()
    attaching.drain()
    assert not PendingEvent.objects.exists()
    assert Visitor.objects.exists()


def test_a_message_that_could_not_be_stored_can_be_replayed_and_is_counted_once(
    tell, attach, website
):
    event = tell("page", who="v1", message_id="m-poison")
    row = {**_row_of(event), "message_id": "m-other"}
    with connection.cursor() as cursor:
        cursor.execute(QUARANTINE, quarantine_parameters(row, "refused by a bad server"))
    assert _counts() == {"accepted": 1, "quarantined": 1, "received": 2}
    quarantine.replay(QuarantinedMessage.objects.get().pk)
    assert _counts() == {"accepted": 2, "quarantined": 0, "received": 2}
    attach()
    assert Event.objects.filter(anonymous_id="v1").count() == 2


def _row_of(event: Event) -> dict:
    from tracking.storing import COLUMNS

    row = {name: getattr(event, name) for name in COLUMNS}
    return row | {"occurred_at": event.occurred_at.isoformat(), "sent_at": None}


def _counts() -> dict[str, int]:
    return dict(IngestCount.objects.values_list("outcome", "count"))


def test_a_drain_that_fails_backs_off_and_goes_on():
    stop, calls = threading.Event(), []

    def take(limit: int) -> int:
        calls.append(limit)
        if len(calls) == 1:
            raise OperationalError("away")
        if len(calls) == 3:
            stop.set()
        return 0

    keep_draining(Drain("test", take, 7), stop)
    assert calls == [7, 7, 7]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_the_relay_ends_when_a_drain_ends_by_itself():
    def leave(limit: int) -> int:
        raise SystemExit

    with pytest.raises(RuntimeError, match="leaver"):
        run(threading.Event(), [Drain("leaver", leave, 1)])


@pytest.mark.servers
@pytest.mark.django_db(transaction=True, available_apps=["tracking"])
def test_relay_processes_attach_together_what_came_in_and_stop_when_asked(tell, transactional_db):
    for number in range(60):
        tell("page", who=f"v{number % 7}")
    command = [sys.executable, "-W", "ignore", "manage.py", "relay"]
    environment = running.environment_for(running.test_database_url())
    relays = [
        subprocess.Popen(command, cwd=running.ROOT, env=environment, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    try:
        assert all(relay.stdout.readline().startswith(b"Draining events") for relay in relays)
        deadline = time.monotonic() + 60
        while PendingEvent.objects.exists():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        for relay in relays:
            relay.send_signal(signal.SIGTERM)
        assert [relay.wait(20) for relay in relays] == [0, 0]
    finally:
        for relay in relays:
            relay.kill()
            relay.communicate()
    assert Visitor.objects.count() == 7
    assert not QuarantinedMessage.objects.exists()
