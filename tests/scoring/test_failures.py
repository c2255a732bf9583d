"""Poison, races and a broker that is gone: the others finish, nothing counts twice."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest
import redis
from celery import Celery
from django.conf import settings
from django.db import connection, transaction

from leads import hints
from leads.models import Lead, StageEpisode
from scoring import crossing, folding, rescore, tasks
from scoring.models import DirtyLead, FailedLead
from scoring.verifying import verify
from tests.scoring.stories import good_fit_lead, settle, some_lead, standing_of, tell_events

pytestmark = pytest.mark.django_db


@pytest.fixture
def poisoned(monkeypatch):
    """The first of three leads cannot be scored."""
    leads = [some_lead(title="CEO") for _ in range(3)]
    fold = folding.fold

    def fails_for_the_first(touched):
        if leads[0].pk in touched:
            raise ValueError("poison")
        return fold(touched)

    monkeypatch.setattr(folding, "fold", fails_for_the_first)
    return leads


def test_a_poisoned_lead_is_put_aside_and_the_others_finish(poisoned):
    settle()
    failed = FailedLead.objects.get()
    assert (failed.lead, failed.attempts, failed.error) == (poisoned[0], 5, "ValueError: poison")
    assert [standing_of(lead).score for lead in poisoned] == [0, 25, 25]
    assert not DirtyLead.objects.exists()


def test_a_lead_that_was_put_aside_gets_another_chance(poisoned, monkeypatch):
    settle()
    monkeypatch.undo()
    rescore.replay([poisoned[0].pk])
    settle()
    assert standing_of(poisoned[0]).score == 25
    assert not FailedLead.objects.exists()


def test_a_lead_that_ends_the_process_each_time_is_put_aside():
    lead = some_lead()
    DirtyLead.objects.filter(lead=lead).update(attempts=5)
    settle()
    assert "The process ended" in FailedLead.objects.get(lead=lead).error


def test_a_lead_that_is_gone_is_no_failure():
    lead = some_lead()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL funnel.erasing = 'on'")
        lead.delete()
    settle()
    assert not FailedLead.objects.exists() and not DirtyLead.objects.exists()


def test_the_relay_leaves_a_moment_to_the_workers():
    some_lead()
    assert rescore.drain_for_relay() == 0
    DirtyLead.objects.update(queued_at="2020-01-01T00:00:00Z")
    assert rescore.drain_for_relay() > 0


def test_the_tasks_do_the_same_work():
    lead = good_fit_lead()
    tell_events(lead, "demo_requested 0d ago")
    tasks.rescore()
    lead.refresh_from_db()
    assert lead.stage == "mql"
    tasks.refresh()
    tasks.publish()
    tasks.verify()
    assert verify(None) == []


def test_time_alone_lets_points_fade():
    lead = some_lead()
    tell_events(lead, "pricing_page_viewed 42d ago")
    settle()
    assert standing_of(lead).interest == 2
    # As if it had last been scored right after the event.
    with connection.cursor() as cursor:
        cursor.execute("UPDATE leads_standing SET interest = 800, score = fit + 800")
    assert rescore.refresh() == 1
    assert standing_of(lead).interest == 2
    assert rescore.refresh() == 0


def test_a_recycled_lead_waits_for_its_date():
    lead = good_fit_lead()
    tell_events(lead, "demo_requested 0d ago")
    Lead.objects.filter(pk=lead.pk).update(not_before_on="2999-01-01")
    rescore.enqueue([lead.pk])
    settle()
    assert standing_of(lead).is_promising
    assert Lead.objects.get(pk=lead.pk).stage == "qualified"
    Lead.objects.filter(pk=lead.pk).update(not_before_on="2020-01-01")
    assert crossing.promote() == 1
    assert Lead.objects.get(pk=lead.pk).stage == "mql"


def test_what_blocks_blocks():
    lead = good_fit_lead()
    lead.account.custom = {"relationship": "competitor"}
    lead.account.save()
    tell_events(lead, *["demo_requested 0d ago", "form_submitted 0d ago", "trial_started 0d ago"])
    rescore.enqueue([lead.pk])
    settle()
    assert not standing_of(lead).is_promising
    assert Lead.objects.get(pk=lead.pk).stage == "qualified"


@pytest.mark.django_db(transaction=True)
def test_workers_that_race_move_a_lead_once():
    leads = [good_fit_lead() for _ in range(4)]
    tell_events(leads[0], "demo_requested 0d ago")
    for lead in leads:
        tell_events(lead, "demo_requested 0d ago")

    def work() -> None:
        try:
            for _ in range(6):
                rescore.enqueue([lead.pk for lead in leads])
                rescore.drain()
                crossing.promote()
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    settle()
    assert not FailedLead.objects.exists()
    assert StageEpisode.objects.filter(stage="mql").count() == 4
    assert verify(None) == []


def seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


@pytest.fixture
def broker_at(monkeypatch):
    """Let hints go to another address."""

    def redirect(url: str) -> None:
        elsewhere = Celery("elsewhere", broker=url, set_as_current=False)
        elsewhere.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
        monkeypatch.setattr(hints, "current_app", elsewhere)

    return redirect


def test_a_hint_reaches_the_broker(broker_at):
    broker_at(settings.REDIS_URL)
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.delete("celery")
        assert hints.send("scoring.tasks.rescore")
        assert client.llen("celery") == 1
        client.delete("celery")


def test_a_broker_that_is_gone_is_no_error(broker_at):
    broker_at("redis://127.0.0.1:9/0")
    assert not hints.send("scoring.tasks.rescore")


def test_nobody_waits_for_a_broker_that_hangs(broker_at):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        broker_at(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        assert seconds(lambda: [hints.hint("scoring.tasks.rescore") for _ in range(100)]) < 0.5
