"""The roll-ups follow every change, and can be proved and rebuilt."""

from __future__ import annotations

from unittest import mock

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from insights import folding
from insights.models import Cell, Rollup, StaleLead, Stay
from insights.queries import read_freshness
from insights.verifying import differences
from leads import lifecycle
from leads.actors import Actor
from leads.capture import capture_lead
from leads.models import Lead
from tests.insights.histories import fold, tell

SYSTEM = Actor.system("test")


def stays(lead: Lead) -> list[tuple]:
    rows = Stay.objects.filter(lead=lead.pk).order_by("seq")
    return list(rows.values_list("stage", "exit_kind", "channel"))


def counted(slice_: str) -> int:
    """The leads of a slice."""
    cells = Cell.objects.filter(slice=slice_, measure="reach", stage="lead")
    return sum(cells.values_list("stay_count", flat=True))


@pytest.fixture
def lead(db) -> Lead:
    folding.rebuild()
    lead = tell("lead 2026-05-01", channel="email")
    fold()
    return lead


def test_the_first_drain_builds_everything(db):
    tell("lead 2026-05-01")
    assert not read_freshness().is_ready
    assert folding.drain() == 1
    assert read_freshness().is_ready and differences() == []


def test_a_move_through_the_door_is_folded_in(lead):
    lifecycle.disqualify(lead.pk, by=SYSTEM, reason="Student")
    assert stays(lead) == [("lead", "", "email")]
    fold()
    assert stays(lead) == [("lead", "disqualified", "email"), ("disqualified", "", "email")]
    assert differences() == []


def test_a_captured_lead_is_folded_in(lead):
    other, _was_new = capture_lead(by=SYSTEM, email="kim@acme.example")
    fold()
    assert stays(other) == [("lead", "", "unknown")]


@pytest.mark.parametrize("field", ["channel", "source", "country"])
def test_what_segments_is_taken_over_also_from_raw_sql(lead, field):
    new = {"channel": "event", "source": "fair", "country": "KR"}[field]
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE leads_lead SET {field} = %s", [new])
    fold()
    assert (counted(f"{field}:{new}"), counted("all")) == (1, 1)
    assert not Cell.objects.filter(slice="channel:email").exists() or field != "channel"
    assert differences() == []


def test_a_new_owner_is_taken_over(lead, sam):
    Lead.objects.update(owner=sam)
    fold()
    assert (counted(f"owner:{sam.pk}"), counted("owner:")) == (1, 0)


def test_a_new_team_is_taken_over(lead, sam, sue):
    Lead.objects.update(owner=sam, team=sue.team)
    fold()
    assert counted(f"team:{sue.team_id}:{sam.pk}") == 1
    Lead.objects.update(team=None)
    fold()
    assert not Cell.objects.filter(slice__startswith="team:").exists()
    assert differences() == []


def test_what_no_figure_looks_at_makes_no_work(lead):
    Lead.objects.update(first_name="Kim", company="Acme")
    assert not StaleLead.objects.exists()


def test_a_merged_and_an_erased_lead_disappear(lead):
    other = tell("lead 2026-05-01", "merged 2026-05-02")
    fold()
    assert stays(other) == [] and counted("all") == 2  # with whom it was merged into
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL funnel.erasing = 'on'")
    for gone in (lead, other, other.merged_into):
        gone.delete()
    fold()
    assert not Stay.objects.exists() and not Cell.objects.exists()


def test_a_figure_is_as_of_the_oldest_change_that_waits(lead):
    freshness = read_freshness()
    assert freshness.as_of == freshness.now
    Lead.objects.update(channel="event")
    waiting = StaleLead.objects.get().queued_at
    assert read_freshness().as_of == waiting
    fold()
    assert read_freshness().as_of > waiting


def test_another_reporting_time_zone_rebuilds(lead, settings):
    settings.REPORTING_TIME_ZONE = "Asia/Seoul"
    assert not read_freshness().is_ready
    fold()
    assert read_freshness().is_ready and "Asia/Seoul" in Rollup.objects.get().layout
    assert differences() == []


def test_rollups_of_an_older_version_are_rebuilt_by_the_relay(lead):
    Rollup.objects.update(layout="weeks Europe/Berlin 14,30,60,90,180,365")
    assert not read_freshness().is_ready
    fold()
    assert read_freshness().is_ready and differences() == []


def test_other_windows_on_offer_rebuild(lead, monkeypatch):
    monkeypatch.setattr("insights.layout.WINDOWS", (7, 14))
    assert not read_freshness().is_ready


def test_drift_is_found_and_a_rebuild_repairs_it(lead):
    Cell.objects.filter(slice="all", measure="step").update(stay_count=7)
    assert "cells differ" in differences()[0]
    with pytest.raises(CommandError, match="slice “all”"):
        call_command("rebuild_rollups", "--check")
    Stay.objects.update(entered_on="2026-01-01")
    assert "stays differ" in differences()[0]
    call_command("rebuild_rollups")
    assert differences() == []


def test_a_lead_that_cannot_be_folded_holds_up_no_other(lead):
    other = tell("lead 2026-05-01")
    real = folding._fold

    def failing(work):
        if any(lead_id == other.pk for _row, lead_id in work):
            raise DatabaseError("poison")
        real(work)

    Lead.objects.filter(pk=lead.pk).update(channel="event")
    with mock.patch.object(folding, "_fold", failing):
        for _ in range(20):
            try:
                folding.drain()
            except DatabaseError:
                continue
    assert stays(lead) == [("lead", "", "event")]
    assert set(StaleLead.objects.values_list("lead_id", "attempt_count")) == {
        (other.pk, folding.MAX_ATTEMPTS)
    }
    assert folding.drain() == 0


def test_folding_twice_changes_nothing(lead):
    before = (list(Stay.objects.values()), list(Cell.objects.values()))
    StaleLead.objects.create(lead_id=lead.pk)
    fold()
    assert (list(Stay.objects.values()), list(Cell.objects.values())) == before


@pytest.mark.django_db(transaction=True)
def test_two_relays_do_not_fold_at_once(sam):
    """The second finds the lock taken and leaves the work to the first."""
    folding.rebuild()
    tell("lead 2026-05-01")
    with connection.copy().cursor() as other:
        other.execute("BEGIN")
        other.execute("SELECT pg_advisory_xact_lock(%s)", [folding._LOCK])
        assert folding.drain() == 0
        other.execute("ROLLBACK")
        other.connection.close()
    assert folding.drain() > 0
