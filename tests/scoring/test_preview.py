"""What a draft would change, before anybody signs it."""

from __future__ import annotations

import pytest

from leads.models import Lead
from scoring import drafting, previewing, rescore
from scoring.models import GroupCap, ModelVersion
from scoring.preview_lists import Wanted, turned_leads
from scoring.previewing import preview
from tests.scoring.stories import (
    SYSTEM,
    good_fit_lead,
    qualified_lead,
    settle,
    some_lead,
    tell_events,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(db) -> ModelVersion:
    draft = drafting.clone_to_draft(ModelVersion.objects.active().pk, by=SYSTEM)
    draft.rules.filter(signal__key="pricing_page").update(points=40)
    return draft


def interested(owner=None, **origin) -> Lead:
    """Fits well, and looked at prices: not promising now, by the draft they would be."""
    lead = good_fit_lead()
    tell_events(lead, "pricing_page_viewed 0d ago")
    Lead.objects.filter(pk=lead.pk).update(owner=owner, **origin)
    return lead


def score_all() -> None:
    rescore.enqueue(Lead.objects.values_list("pk", flat=True))
    settle()


@pytest.fixture
def leads(sam, sue) -> dict[str, Lead]:
    found = {
        "of_sam": interested(sam, channel="paid_search", source="google"),
        "of_sue": interested(sue, channel="paid_search", source="bing"),
        "of_nobody": interested(),
        "cold": qualified_lead(title="Intern"),
    }
    score_all()
    return found


def test_who_enters_and_where_they_come_from(draft, leads, ana):
    seen = preview(draft, ana)
    assert (seen.lead_count, seen.enter_count, seen.leave_count) == (4, 3, 0)
    assert (seen.handed_off_count, seen.stay_count) == (3, 0)
    owners = {turn.label: turn.enter for turn in seen.by_owner}
    assert owners == {"Sam": 1, "Sue": 1, "": 1}
    channels = {turn.key: turn.enter for turn in seen.by_channel}
    assert channels["paid_search"] == 2
    assert {turn.key for turn in seen.by_source} == {"google", "bing", ""}


def test_distributions_hold_every_lead_before_and_after(draft, leads, ana):
    seen = preview(draft, ana)
    assert sum(bar.before for bar in seen.bins) == sum(bar.after for bar in seen.bins) == 4
    quadrants = {change.quadrant: (change.before, change.after) for change in seen.quadrants}
    assert quadrants["both"][1] == 3 and sum(after for _b, after in quadrants.values()) == 4
    assert quadrants["fit"] == (3, 0)
    for bar in seen.bins:
        scores = Lead.objects.filter(
            standing__score__gte=bar.low, standing__score__lt=bar.high
        ).count()
        assert scores == bar.before


def test_who_leaves(draft, leads, ana):
    hot = good_fit_lead()
    tell_events(hot, "demo_requested 0d ago", "demo_requested 1d ago")
    score_all()
    draft.rules.filter(signal__key="demo").update(points=1)
    draft.rules.filter(signal__key="pricing_page").update(points=1)
    seen = preview(draft, ana)
    assert (seen.enter_count, seen.leave_count, seen.handed_off_count) == (0, 1, 0)
    page = turned_leads(draft, ana, Wanted.read({"change": "leave"}))
    assert [row.lead for row in page.rows] == [hot] and page.rows[0].before > page.rows[0].after


def test_a_list_holds_what_its_reader_may_see(draft, leads, ana, mona, sam):
    assert turned_leads(draft, ana, Wanted()).count == 3
    assert [row.lead for row in turned_leads(draft, mona, Wanted()).rows] == [leads["of_sam"]]
    of_nobody = Wanted.read({"owner": ""})
    assert [row.lead for row in turned_leads(draft, ana, of_nobody).rows] == [leads["of_nobody"]]
    bing = Wanted.read({"source": "bing", "handed_off": "1"})
    assert [row.lead for row in turned_leads(draft, ana, bing).rows] == [leads["of_sue"]]
    assert turned_leads(draft, mona, bing).count == 0


def test_a_manager_reads_of_others_together(draft, leads, mona):
    owners = {turn.key: turn.enter for turn in preview(draft, mona).by_owner}
    assert owners[previewing.OTHERS] == 1 and len(owners) == 3
    assert preview(draft, mona).enter_count == 3


def test_the_load_on_reps_is_told_by_sales(draft, leads, ana, sam, sue):
    loads = {row.rep: (row.new_count, row.load) for row in preview(draft, ana).loads}
    assert loads[sam][0] == loads[sue][0] == loads[None][0] == 1
    assert loads[sam][1].open_count == 0 and loads[sam][1].capacity == sam.capacity


def test_who_is_not_waiting_is_not_handed_off(draft, ana):
    lead = some_lead(title="CEO", country="DE")
    company = {"industry": "Automotive", "employee_count": 900}
    Lead.objects.filter(pk=lead.pk).update(custom=company)
    tell_events(lead, "pricing_page_viewed 0d ago")
    score_all()
    seen = preview(draft, ana)
    assert (seen.enter_count, seen.handed_off_count) == (1, 0)
    assert turned_leads(draft, ana, Wanted(handed_off=True)).count == 0


def test_pages_of_a_list(draft, ana, monkeypatch):
    monkeypatch.setattr("scoring.preview_lists.PAGE_SIZE", 2)
    leads = {interested().pk for _lead in range(3)}
    score_all()
    first = turned_leads(draft, ana, Wanted(), 1)
    second = turned_leads(draft, ana, Wanted(), first.next)
    assert {row.lead.pk for row in (*first.rows, *second.rows)} == leads
    assert (first.count, first.previous, second.previous, second.next) == (3, None, 1, None)


def test_nothing_is_written_and_nobody_is_an_empty_preview(draft, ana):
    GroupCap.objects.create(version=draft, axis="interest", group="nobody", cap=0)
    seen = preview(draft, ana)
    assert seen.changes_nothing and seen.bins == [] and seen.lead_count == 0


def test_the_address_of_a_list_reads_back(draft):
    wanted = Wanted.read({"change": "leave", "owner": "12", "channel": "email"})
    assert wanted.query() == "change=leave&owner=12&channel=email"
    assert Wanted.read({"owner": "'; --", "change": "x"}) == Wanted()


def test_a_model_for_some_leads_is_previewed_for_them_only(leads, ana):
    active = ModelVersion.objects.active()
    conditions = [{"field": "source", "operator": "is", "value": "bing"}]
    version = drafting.begin_model("Bing", conditions, active.pk, by=SYSTEM)
    version.rules.filter(signal__key="pricing_page").update(points=40)
    seen = preview(version, ana)
    assert (seen.lead_count, seen.enter_count) == (1, 1)
    assert [row.lead for row in turned_leads(version, ana, Wanted()).rows] == [leads["of_sue"]]
