"""Where an import knows no date, nothing shows, sorts by or counts from the bound it left."""

from __future__ import annotations

import csv
from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils.timezone import localdate, now

from leads import lifecycle
from leads.actors import Actor
from leads.filters import LeadFilter
from leads.imports.history import Step
from leads.lifecycle_batch import told
from leads.models import Lead
from leads.paging import LEAD_SORTS, read_page
from leads.stages import Stage, path_between
from leads.verifying import CHECKS, run
from tests.leads.people import make_lead

IMPORTER = Actor.importer("crm.csv")


def enter(lead: Lead, stage: str, *, is_date_known: bool, days_ago: int = 0) -> Lead:
    at = now() - timedelta(days=days_ago)
    lifecycle.record_imported_step(lead.pk, stage, by=IMPORTER, at=at, is_date_known=is_date_known)
    lead.refresh_from_db()
    return lead


@pytest.fixture
def undated(db) -> Lead:
    """Entered MQL nobody knows when; the bound is now."""
    return enter(make_lead(first_name="Una"), Stage.MQL, is_date_known=False)


def test_a_lead_knows_that_nobody_knows(undated):
    assert undated.is_stage_date_unknown and undated.stage_since is None
    dated = enter(undated, Stage.SAL, is_date_known=True)
    assert dated.stage_since == dated.stage_entered_at


def test_a_batch_says_the_same(db):
    lead = make_lead()
    moves = path_between(lead.stage, Stage.MQL)
    with transaction.atomic():
        locked = Lead.objects.select_for_update(no_key=True).get(pk=lead.pk)
        steps = [Step(move, now(), True, move is not moves[-1]) for move in moves]
        lifecycle.record_imported_histories([told(locked, steps)], by=IMPORTER)
    lead.refresh_from_db()
    assert lead.stage == Stage.MQL and lead.stage_since is None


def test_postgresql_compares_it_with_the_history(undated):
    refused = pytest.raises(DatabaseError, match="where its newest episode says")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE leads_lead SET is_stage_date_unknown = false")
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_the_check_of_the_books_finds_it(undated):
    check = next(c for c in CHECKS if c.title == "a lead is in the stage of its newest episode")
    assert run(check).count == 0
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE leads_lead SET is_stage_date_unknown = false")
        assert run(check).count == 1
        cursor.execute("UPDATE leads_lead SET is_stage_date_unknown = true")


def test_the_list_sorts_it_last(undated):
    old = enter(make_lead(first_name="Otto"), Stage.MQL, is_date_known=True, days_ago=0)
    leads = Lead.objects.all()
    assert [lead.pk for lead in read_page(leads, LEAD_SORTS["since"]).rows] == [old.pk, undated.pk]
    assert read_page(leads, LEAD_SORTS["since"], after=old.pk).rows == [undated]
    assert read_page(leads, LEAD_SORTS["since"], before=undated.pk).rows == [old]


def test_an_index_holds_that_order(undated):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
    plan = Lead.objects.order_by(LEAD_SORTS["since"].expression.desc(), "pk").only("pk").explain()
    assert "leads_lead_since" in plan and "Sort" not in plan


def test_no_day_on_which_it_entered_can_be_filtered(undated):
    today = localdate()
    reached = LeadFilter(reached=Stage.MQL)
    assert list(reached.apply(Lead.objects.all())) == [undated]
    on_a_day = LeadFilter(reached=Stage.MQL, entered_from=today - timedelta(days=1))
    assert not on_a_day.apply(Lead.objects.all()).exists()


def test_list_page_and_export_say_so(client, mia, undated):
    client.force_login(mia)
    page = client.get("/leads/").text
    assert "date unknown" in page and "since " not in page
    (row,) = csv.DictReader(
        b"".join(client.get("/leads/export.csv").streaming_content).decode("utf-8-sig").splitlines()
    )
    assert row["In stage since"] == ""


def test_the_stepper_of_a_lead_that_left_says_so(client, mia, undated):
    enter(undated, Stage.DISQUALIFIED, is_date_known=False)
    client.force_login(mia)
    page = client.get(f"/leads/{undated.pk}/").text
    note = page.split('class="stepper-note"')[1].split("</p>")[0]
    assert "date unknown" in note and "since" not in note


def test_the_timeline_says_so(client, mia, undated):
    client.force_login(mia)
    assert "Entered MQL, date unknown" in client.get(f"/leads/{undated.pk}/").text
