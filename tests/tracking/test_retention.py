"""What is purged, what never is, and that a message counts once even after its event is gone."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse

from leads.actors import Actor
from leads.models import AuditEntry
from leads.refusals import Refused
from tests.hindsight import change_events
from tracking import jobs, purging, retention
from tracking.models import (
    Event,
    JobRun,
    PurgeCount,
    PurgedMessage,
    PurgeMark,
    RetentionSettings,
    RetentionSweep,
    Visitor,
)
from tracking.verifying import CHECKS

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system("Test")
CRAWLER = "Googlebot/2.1 (+http://www.google.com/bot.html)"


def age(days: int, **which) -> None:
    """Let events have come so many days ago."""
    moment = datetime.now(UTC) - timedelta(days=days)
    change_events({"received_at": moment, "occurred_at": moment}, **which)
    Visitor.objects.filter(anonymous_id__in=which.values()).update(last_seen_at=moment)


def ripen() -> None:
    PurgeMark.objects.update(marked_at=datetime.now(UTC) - timedelta(minutes=2))


def purge_all(portion: int = 5000) -> int:
    """Mark, wait a minute, purge; returns how many marks were worked off."""
    while retention.mark(portion):
        pass
    ripen()
    count = 0
    while done := retention.purge(portion):
        count += done
    return count


def verify() -> None:
    with connection.cursor() as cursor:
        for check in CHECKS:
            cursor.execute(check.sql)
            assert cursor.fetchall() == [], check.name


@pytest.fixture
def story(tell, attach):
    """A lead, a visitor nobody knows, and a crawler, all of two years ago; a visitor of today."""
    tell("page", who="lead", path="/a")
    tell("Form Submitted", who="lead", email="ada@acme.example", consent=True)
    for number in range(3):
        tell("page", who="nobody", path=f"/{number}")
    tell("page", who="bot", header=CRAWLER)
    attach()
    for who in ("lead", "nobody", "bot"):
        age(730, anonymous_id=who)
    tell("page", who="today")
    attach()


def test_old_events_of_nobody_go_and_those_of_leads_stay(story):
    assert purge_all() == 4
    assert set(Event.objects.values_list("anonymous_id", flat=True)) == {"lead", "today"}
    counts = dict(PurgeCount.objects.values_list("rule", "count"))
    assert counts == {"machine": 1, "anonymous": 3}
    assert (PurgedMessage.objects.count(), PurgeMark.objects.count()) == (4, 0)
    verify()
    assert purge_all() == 0


def test_events_go_in_portions_that_can_stop_anywhere(story):
    retention.mark(2)
    assert RetentionSweep.objects.get(rule="anonymous").next_event_id > 0
    ripen()
    retention.purge(1)
    verify()
    assert purge_all(1) > 0
    assert Event.objects.filter(anonymous_id="nobody").count() == 0
    verify()


def test_machines_go_sooner_than_people(tell, attach):
    tell("page", who="nobody")
    tell("page", who="bot", header=CRAWLER)
    attach()
    age(100, anonymous_id="nobody")
    age(100, anonymous_id="bot")
    assert purge_all() == 1
    assert Event.objects.get().anonymous_id == "nobody"


def test_a_message_counts_once_for_ever(story, tell, website):
    old = Event.objects.filter(anonymous_id="nobody").first()
    purge_all()
    from tracking.storing import store

    row = {
        "source_id": website.pk, "message_id": old.message_id, "kind": "page_viewed", "name": "",
        "occurred_at": datetime.now(UTC).isoformat(), "sent_at": None, "anonymous_id": "nobody",
        "user_id": "", "url": "", "path": "", "referrer": "", "title": "", "user_agent": "",
        "properties": {}, "context": {}, "is_trusted": False, "verdict": 0, "verdict_signals": [],
    }  # fmt: skip
    assert store([row]) == 0
    assert store([{**row, "message_id": "new"}]) == 1
    assert not Event.objects.filter(message_id=old.message_id).exists()
    verify()


def test_until_it_goes_the_event_and_its_digest_both_stand(story):
    retention.mark()
    assert PurgeMark.objects.count() == PurgedMessage.objects.count() == 4
    assert retention.purge() == 0  # a minute has not passed
    assert Event.objects.filter(anonymous_id="nobody").count() == 3
    verify()


def test_what_becomes_a_leads_in_the_last_minute_stays(story, tell, attach):
    retention.mark()
    tell("Form Submitted", who="nobody", email="kim@globex.example", consent=True)
    attach()
    ripen()
    retention.purge()
    assert Event.objects.filter(anonymous_id="nobody", lead__isnull=False).count() == 4
    assert PurgedMessage.objects.count() == 1  # the crawler's
    verify()


def test_postgresql_itself_keeps_the_events_of_leads(story):
    with pytest.raises(DatabaseError, match="is history"), transaction.atomic():
        Event.objects.filter(lead__isnull=False)._raw_delete("default")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL funnel.erasing = 'on'")
        cursor.execute("DELETE FROM tracking_event WHERE lead_id IS NOT NULL")
        assert cursor.rowcount == 2
        transaction.set_rollback(True)


def test_what_still_waits_is_not_judged(tell):
    tell("page", who="nobody")
    age(730, anonymous_id="nobody")
    assert purge_all() == 0
    assert Event.objects.count() == 1


def test_browsers_are_forgotten_when_nothing_of_them_is_left(story):
    assert retention.forget_visitors() == 0  # their events still stand
    purge_all()
    assert retention.forget_visitors() == 1
    assert set(Visitor.objects.values_list("anonymous_id", flat=True)) == {"lead", "today"}
    verify()


class TestSettings:
    def test_an_edit_looks_through_everything_again_and_is_audited(self, story):
        purge_all()
        retention.set_retention(anonymous_days=30, machine_days=7, inspected_days=2, by=SYSTEM)
        assert set(RetentionSweep.objects.values_list("next_event_id", flat=True)) == {0}
        changes = AuditEntry.objects.get(verb="set", object_kind="retention").changes
        assert changes["anonymous_days"] == [395, 30]
        with pytest.raises(Refused, match="cannot be kept longer"):
            retention.set_retention(anonymous_days=30, machine_days=31, inspected_days=1, by=SYSTEM)

    def test_admins_change_it_marketers_look(self, ana, mia, client: Client, story):
        days = {"anonymous_days": 60, "machine_days": 7, "inspected_days": 1}
        client.force_login(mia)
        assert client.post(reverse("tracking:retention_settings"), days).status_code == 403
        page = client.get(reverse("tracking:retention"))
        assert "An admin can change it." in page.text
        assert [line.events for line in page.context["outlook"]] == [1, 4]
        client.force_login(ana)
        wrong = client.post(reverse("tracking:retention_settings"), {**days, "machine_days": 90})
        assert wrong.status_code == 422
        assert client.post(reverse("tracking:retention_settings"), days).status_code == 302
        assert RetentionSettings.current().anonymous_days == 60

    @pytest.mark.parametrize(
        ("events", "said"), [(3, "at least 3"), (0, "not known: too many to look at")]
    )
    def test_where_not_all_was_looked_at_it_says_so(
        self, mia, client: Client, monkeypatch, events, said
    ):
        def cut_short(rule, days):
            return purging.Outlook(rule, days, events, is_more=True)

        monkeypatch.setattr(purging, "_next_of", cut_short)
        client.force_login(mia)
        text = client.get(reverse("tracking:retention")).text
        assert said in text
        assert "≥" not in text

    def test_the_page_says_what_went(self, ana, client: Client, story):
        purge_all()
        assert {line.rule: line.events for line in purging.purged()} == {
            "machine": 1, "anonymous": 3,
        }  # fmt: skip
        client.force_login(ana)
        assert "of visitors nobody knows: 3" in client.get(reverse("tracking:retention")).text


class TestJobs:
    def run(self, job: jobs.Job) -> bool:
        return jobs.run(job)

    def test_a_slot_runs_once_whoever_asks(self):
        portions = iter([3, 2, 0, 9])
        job = jobs.Job("test", 3600, lambda: next(portions))
        assert [self.run(job) for _ in range(3)] == [True, False, False]
        run = JobRun.objects.get()
        assert (run.done, run.attempts) == (5, 1)
        assert run.finished_at is not None

    def test_missed_slots_are_made_up_for_as_one(self):
        job = jobs.Job("test", 60, lambda: 0)
        assert self.run(job)
        JobRun.objects.update(slot=datetime.now(UTC) - timedelta(hours=5))
        assert [self.run(job) for _ in range(3)] == [True, False, False]

    def test_a_dead_run_is_taken_over_when_its_lease_ends_and_given_up_after_five(self):
        def fail() -> int:
            raise ValueError("poison")

        job = jobs.Job("test", 86_400, fail)
        for attempt in range(1, 6):
            with pytest.raises(ValueError, match="poison"):
                self.run(job)
            assert not self.run(job)  # somebody has it
            assert JobRun.objects.get().attempts == attempt
            JobRun.objects.update(lease_until=datetime.now(UTC) - timedelta(days=1))
        assert not self.run(job)
        assert purging.runs()[0].attempts == 5

    def test_all_jobs_run_and_old_runs_are_forgotten(self, story):
        for job in jobs.JOBS:
            assert self.run(job)
        assert JobRun.objects.get(job="retention").done > 0
        assert PurgeMark.objects.count() == 4
        JobRun.objects.update(finished_at=datetime.now(UTC) - timedelta(days=100))
        assert jobs.drop_old_runs() == len(jobs.JOBS)


@pytest.mark.django_db(transaction=True)
def test_two_relays_at_once_run_a_slot_once():
    ran, start = [], threading.Barrier(4)

    def portion() -> int:
        ran.append(1)
        return 0

    def ask() -> None:
        start.wait()
        jobs.run(jobs.Job("race", 86_400, portion))
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ran == [1]
