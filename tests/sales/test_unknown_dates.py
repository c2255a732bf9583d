"""Sales counts no days from a bound that an import left where a date is unknown."""

from __future__ import annotations

from datetime import timedelta

from django.urls import reverse
from django.utils.timezone import now

from leads import lifecycle
from leads.actors import Actor
from leads.capture import capture_lead
from leads.models import Lead
from leads.stages import Stage
from leads.verifying import run
from sales import handoff as handoffs
from sales.models import Handoff
from sales.queries import pipeline
from sales.verifying import CHECKS

IMPORTER = Actor.importer("crm.csv")


def imported(stage: str, *, is_date_known: bool, known_days_ago: int | None = None) -> Lead:
    """A lead that became known some days ago, or nobody knows when, and is now in `stage`."""
    at = now() - timedelta(days=known_days_ago or 0)
    lead, _was_new = capture_lead(
        by=IMPORTER, email=f"p{Lead.objects.count()}@acme.example", first_seen_at=at
    )
    lifecycle.record_imported_step(lead.pk, stage, by=IMPORTER, at=at, is_date_known=is_date_known)
    lead.refresh_from_db()
    return lead


def test_customers_show_no_date(client, mia):
    imported(Stage.CUSTOMER, is_date_known=False)
    client.force_login(mia)
    page = client.get("/customers/").text
    assert (
        "date unknown" in page
        and f"{now():%Y}" not in page.split("<tbody>")[1].split("</tbody>")[0]
    )


def test_the_pipeline_counts_no_days_and_lists_it_last(client, ana):
    imported(Stage.SQL, is_date_known=False, known_days_ago=40)
    imported(Stage.SQL, is_date_known=True, known_days_ago=3)
    deals = pipeline(ana)[1].deals
    assert [deal.days_in_stage for deal in deals] == [3, None]
    client.force_login(ana)
    assert "date unknown" in client.get("/pipeline/").text


def test_a_closed_deal_shows_no_date(client, ana):
    lead = imported(Stage.SQL, is_date_known=True, known_days_ago=40)
    lifecycle.record_imported_step(
        lead.pk, Stage.CUSTOMER, by=IMPORTER, at=now(), is_date_known=False
    )
    client.force_login(ana)
    panel = (
        client.get(reverse("sales:lead_panel", args=[lead.pk]))
        .text.split("Closed</dt>")[1]
        .split("</dd>")[0]
    )
    assert "date unknown" in panel


def test_a_stay_that_may_be_old_is_not_proposed(sam, db):
    """The bound is recent; only a known date before it would prove that the stay is."""
    recent = imported(Stage.MQL, is_date_known=False, known_days_ago=5)
    ancient = imported(Stage.MQL, is_date_known=False, known_days_ago=200)
    assert handoffs.open_missing(10) == 1
    assert Handoff.objects.get().lead == recent
    assert ancient.stage_since is None
    waits = next(
        check for check in CHECKS if check.title == "every MQL has one hand-off that waits"
    )
    assert run(waits).count == 0
