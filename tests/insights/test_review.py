"""The review of the scoring model: rejections, silent and double rules, weights, drift."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils.timezone import now

from insights.review import making, rejections
from insights.review.page import Page, Suggested
from insights.review_models import Review
from leads import lifecycle
from leads.actors import Actor
from leads.capture import capture_lead
from leads.models import AuditEntry, Lead
from leads.refusals import Conflict, Refused
from sales import handoff as handoffs
from sales.models import Handoff
from scoring import drafting, rescore, reweighing, rule_firing, rule_weights
from scoring.backtesting import signals_of
from scoring.formula import Weights
from scoring.models import ModelVersion, Rule, Signal
from tests.scoring.stories import SYSTEM, good_fit_lead, qualified_lead, settle, tell_events
from tests.scoring.test_backtest import decided, score_all

pytestmark = pytest.mark.django_db


def active() -> ModelVersion:
    return ModelVersion.objects.active()


def signal(key: str) -> int:
    return Signal.objects.get(key=key).pk


def proposed(ana, *stories: str) -> Handoff:
    lead = qualified_lead(title="CEO")
    tell_events(lead, *stories)
    rescore.enqueue([lead.pk])
    settle()
    lead.refresh_from_db()
    if lead.stage != "mql":
        lifecycle.advance(lead.pk, "mql", by=Actor.of(ana), override=True, reason="x")
    return Handoff.objects.get(lead=lead)


def review() -> Page:
    making.request(by=SYSTEM)
    assert making.drain() == 1
    return Page(Review.objects.first())


def test_rejections_roll_up_on_the_rules_that_carried_them(ana, sam):
    for _one in range(3):
        rejected = proposed(ana, "webinar_attended 2d ago", "pricing_page_viewed 3d ago")
        handoffs.reject(rejected.pk, by=Actor.of(sam), reason_code="no_budget")
        # What the lead did after the hand-off is no reason of it.
        tell_events(rejected.lead, "demo_requested 0d ago")
    accepted = proposed(ana, "pricing_page_viewed 3d ago")
    handoffs.accept(accepted.pk, by=Actor.of(sam))
    weights = Weights.of(active())
    found = rejections.roll_up(active(), weights, signals_of(weights))
    rules = {rule["signal"]: rule for rule in found["rules"]}
    assert (found["rejected"], found["accepted"]) == (3, 1)
    assert found["reasons"][0][1] == 3
    webinar = rules[signal("webinar")]
    assert (webinar["rejected"], webinar["accepted"], webinar["verdict"]) == (3, 0, "too_few")
    assert webinar["reasons"] == found["reasons"]
    pricing = rules[signal("pricing_page")]
    assert (pricing["rejected"], pricing["accepted"]) == (3, 1)


def test_from_thirty_on_a_rule_is_judged():
    import numpy as np

    rejected = np.array([True] * 40 + [False] * 40)
    held = np.array([True] * 36 + [False] * 40 + [True] * 4)
    rule = rejections._rule(Signal(pk=1), held, rejected, ["Budget"] * 40 + [""] * 40)
    assert rule["verdict"] == "rejected" and rule["difference"]["low"] > 0.5
    assert rule["reasons"] == [("Budget", 36)]


def test_rules_that_hold_for_nobody_are_named():
    lead = good_fit_lead()
    tell_events(lead, "pricing_page_viewed 3d ago", "file_downloaded 200d ago")
    score_all()
    weights = Weights.of(active())
    held = rule_firing.held_lately(signals_of(weights))
    assert held[signal("pricing_page")] == 1
    assert held[signal("download")] == held[signal("demo")] == 0


def test_rules_for_the_same_leads_are_found(monkeypatch):
    monkeypatch.setattr(rule_firing, "FEWEST_HELD", 3)
    for _lead in range(5):
        lead = qualified_lead()
        tell_events(lead, "demo_requested 3d ago", "pricing_page_viewed 3d ago")
    tell_events(qualified_lead(), "pricing_page_viewed 3d ago")
    for _lead in range(4):
        qualified_lead()
    score_all()
    pairs = rule_firing.duplicates(signals_of(Weights.of(active())))
    wanted = sorted([signal("demo"), signal("pricing_page")])
    found = next(pair for pair in pairs if sorted(pair["signals"]) == wanted)
    assert found["both"] == 5 and found["jaccard"] == pytest.approx(5 / 6)
    assert sorted(found["held"]) == [5, 6]


def test_below_a_hundred_outcomes_there_is_not_enough_data():
    decided("won")
    weights = Weights.of(active())
    assert rule_weights.suggest(weights, signals_of(weights)) == {
        **{"state": "not_enough_data", "fewest": 100, "outcomes": 1, "won": 1}
    }


def many_outcomes(count: int = 50) -> None:
    """Downloads win, pricing pages lose, jobs pages are neither here nor there."""
    for number in range(count):
        step = timedelta(days=number % 50)
        for how, kind in (("won", "file_downloaded"), ("lost", "pricing_page_viewed")):
            lead = qualified_lead()
            jobs = ["page_viewed 95d ago /jobs"] if number % 2 else []
            other = "pricing_page_viewed" if kind == "file_downloaded" else "file_downloaded"
            odd = [f"{other} 90d ago"] if number % 10 == 0 else []
            tell_events(lead, f"{kind} 90d ago", *jobs, *odd)
            at = now() - timedelta(days=80) + step
            lifecycle.record_imported_step(lead.pk, "mql", by=SYSTEM, at=at)
            lifecycle.record_imported_step(lead.pk, "sal", by=SYSTEM, at=at)
            if how == "won":
                lifecycle.record_imported_step(lead.pk, "sql", by=SYSTEM, at=at)
            end = "customer" if how == "won" else "lost"
            lifecycle.record_imported_step(lead.pk, end, by=SYSTEM, at=at + timedelta(days=1))
    score_all()


def test_weights_are_suggested_from_outcomes_and_taken_over(client, ana, mia):
    many_outcomes()
    page = review()
    rules = {rule["signal"]: rule for rule in page.suggestion["rules"]}
    assert page.suggestion["state"] == "ok" and page.suggestion["outcomes"] == 100
    assert page.suggestion["hold_out"]["size"] == 20
    assert rules[signal("download")]["suggested"] > 0
    assert rules[signal("pricing_page")]["suggested"] < 0
    assert rules[signal("demo")]["why"] == "too_few"
    assert page.helps and not page.harms
    url = reverse("review:draft", args=[page.review.pk])
    client.force_login(mia)
    assert client.post(url).status_code == 403
    client.force_login(ana)
    draft_url = client.post(url).url
    draft = ModelVersion.objects.get(state="draft")
    assert draft_url == reverse("scoring:preview", args=[draft.number])
    points = dict(Rule.objects.filter(version=draft).values_list("signal", "points"))
    assert points[signal("download")] == rules[signal("download")]["suggested"]
    assert points[signal("demo")] == Rule.objects.get(version=active(), signal__key="demo").points
    assert AuditEntry.objects.get(verb="reweighed").actor == ana
    html = client.get(reverse("review:review")).content.decode()
    assert "They rank better." in html and "Take over as draft" in html


def test_suggestions_of_another_version_are_not_taken_over(ana, mia):
    with pytest.raises(Refused, match="Only admins"):
        reweighing.draft_with_points(1, {}, by=Actor.of(mia), reason="")
    draft = drafting.clone_to_draft(active().pk, by=SYSTEM)
    with pytest.raises(Conflict, match="no longer in force"):
        reweighing.draft_with_points(draft.number, {}, by=Actor.of(ana), reason="")


def published(days: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            "UPDATE scoring_modelversion SET published_at = %s", [now() - timedelta(days=days)]
        )
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")


def came(days: int, title: str) -> None:
    at = now() - timedelta(days=days)
    email = f"new{Lead.objects.count()}@acme.example"
    capture_lead(by=SYSTEM, email=email, profile={"title": title}, first_seen_at=at)


def test_drift_compares_newcomers_then_and_now(monkeypatch):
    monkeypatch.setattr(rule_firing, "FEWEST_LEADS", 10)
    published(60)
    for _lead in range(30):
        came(70, "CEO")
        came(10, "Intern")
    score_all()
    signals = signals_of(Weights.of(active()))
    drift = rule_firing.drift(active(), signals)
    assert (drift["state"], drift["then"], drift["now"]) == ("ok", 30, 30)
    assert drift["stability"] > 0.25
    clear = {rule["signal"] for rule in drift["rules"] if rule["is_clear"]}
    assert clear


def test_drift_says_when_it_is_too_early():
    published(2)
    signals = signals_of(Weights.of(active()))
    assert rule_firing.drift(active(), signals)["state"] == "too_soon"
    published(60)
    assert rule_firing.drift(active(), signals)["state"] == "too_few"


def test_a_review_of_nothing_is_a_page_that_says_what_is_missing(client, mona):
    client.force_login(mona)
    url = reverse("review:review")
    assert "Not reviewed yet" in client.get(url).content.decode()
    client.post(url)
    assert "every 2s" in client.get(url).content.decode()
    making.drain()
    html = client.get(url).content.decode()
    assert "Sales rejected none" in html and "Not enough data" in html
    assert "Take over as draft" not in html


@pytest.mark.parametrize(
    ("points", "suggested", "won", "lost", "said"),
    [
        (5, 9, 40, 20, "more common among customers"),
        (5, 3, 40, 20, "more common among customers, but by less than its points say"),
        (5, -2, 40, 20, "more common among customers, but the other rules told of that already"),
        (5, -2, 20, 40, "more common among leads not won"),
        (-9, -2, 20, 40, "more common among leads not won, but by less than its points say"),
        (5, 7, 20, 40, "more common among leads not won, but not when the other rules are equal"),
    ],
)
def test_a_suggestion_says_why_it_goes_up_or_down(points, suggested, won, lost, said):
    row = Suggested("A rule", points, suggested, suggested - 1, suggested + 1, "", won, lost)
    assert row.reason == said
