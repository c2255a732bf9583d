"""How a draft would have ranked leads of known outcome, from what was known then only."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils.timezone import now

from leads import lifecycle
from leads.models import Lead
from scoring import backtesting, dictionaries, drafting, rescore
from scoring.dictionary_models import TitleWord
from scoring.formula import Weights
from scoring.known_then import Cutoff, frozen_features
from scoring.ledger import Ledger, facts_of_many
from scoring.models import BackTest, ModelVersion, Signal
from scoring.outcomes import known_outcomes
from scoring.scorecard import score
from tests.scoring.stories import SYSTEM, good_fit_lead, qualified_lead, settle, tell_events

pytestmark = pytest.mark.django_db


def days_ago(count: float):
    return now() - timedelta(days=count)


def step(lead: Lead, stage: str, days: float, **said) -> None:
    lifecycle.record_imported_step(lead.pk, stage, by=SYSTEM, at=days_ago(days), **said)


def score_all() -> None:
    rescore.enqueue(Lead.objects.values_list("pk", flat=True))
    settle()


def decided(how: str, *stories: str, lead: Lead | None = None) -> Lead:
    """A lead that became an MQL 60 days ago and was decided 30 days ago."""
    lead = lead or qualified_lead()
    tell_events(lead, *stories)
    step(lead, "mql", 60)
    if how == "won":
        for place, stage in enumerate(("sal", "sql", "customer")):
            step(lead, stage, 40 - place * 5)
    elif how == "lost":
        step(lead, "sal", 40)
        step(lead, "lost", 30)
    elif how == "rejected":
        lifecycle.recycle(lead.pk, by=SYSTEM, reason="No budget", at=days_ago(30))
    else:
        step(lead, "disqualified", 30)
    return lead


@pytest.fixture
def draft(db) -> ModelVersion:
    return drafting.clone_to_draft(ModelVersion.objects.active().pk, by=SYSTEM)


def test_outcomes_are_told_by_the_history():
    leads = {how: decided(how) for how in ("won", "lost", "rejected", "disqualified")}
    open_lead = qualified_lead()
    step(open_lead, "mql", 10)
    never = qualified_lead()
    step(never, "disqualified", 20)
    undated = qualified_lead()
    step(undated, "disqualified", 20, is_date_known=False)
    outcomes, left_out = known_outcomes()
    by_lead = {outcome.lead_id: outcome for outcome in outcomes}
    assert {how: by_lead[lead.pk].kind for how, lead in leads.items()} == {h: h for h in leads}
    assert open_lead.pk not in by_lead and undated.pk not in by_lead and left_out == 1
    assert abs(by_lead[leads["won"].pk].as_of - days_ago(60)) < timedelta(minutes=5)
    assert not by_lead[never.pk].was_mql
    assert by_lead[never.pk].decided_at - by_lead[never.pk].as_of == timedelta(days=1)


def test_only_the_newest_outcomes_are_taken():
    decided("won")
    early = qualified_lead()
    step(early, "disqualified", 90)
    outcomes, left_out = known_outcomes(most=1)
    assert [outcome.kind for outcome in outcomes] == ["won"] and left_out == 1


def test_a_customer_who_is_back_in_the_funnel_was_won():
    lead = decided("won")
    lifecycle.reopen(lead.pk, by=SYSTEM, reason="Wants more", at=days_ago(5))
    assert [outcome.kind for outcome in known_outcomes()[0]] == ["won"]


def test_frozen_scores_are_those_of_the_ledger_to_the_cent():
    first = good_fit_lead()
    tell_events(
        first, "pricing_page_viewed 70d ago", "demo_requested 61d ago", "page_viewed 5d ago"
    )
    second = qualified_lead(title="Intern")
    stories = [f"page_viewed {day}d ago /p{day}" for day in range(2, 90, 3)]
    tell_events(second, *stories, "file_downloaded 44d ago", "unsubscribed 43d ago")
    score_all()
    weights = Weights.of(ModelVersion.objects.active())
    signals = backtesting.signals_of(weights)
    cutoffs = [Cutoff(lead.pk, days_ago(d)) for lead in (first, second) for d in (350, 61, 40, 0)]
    scores = score(frozen_features(cutoffs, signals), signals, weights)
    ledger = Ledger(ModelVersion.objects.active())
    facts = facts_of_many([first.pk, second.pk], now())
    for place, (lead_id, as_of) in enumerate(cutoffs):
        explained = ledger.at(facts[lead_id], as_of)
        assert scores.total[place] == float(explained.score)
        assert scores.fit[place] == float(explained.fit)
    assert len(set(scores.total)) > 4


def test_nothing_that_came_later_changes_a_back_test(draft):
    leads = [
        decided("won", "demo_requested 61d ago", "pricing_page_viewed 70d ago"),
        decided("won", "pricing_page_viewed 62d ago", lead=good_fit_lead()),
        decided("lost", "page_viewed 65d ago /jobs"),
        decided("rejected", "file_downloaded 61d ago"),
    ]
    score_all()
    before = backtesting.back_test(Weights.of(draft))
    for lead in leads:
        tell_events(lead, "demo_requested 59d ago", "unsubscribed 2d ago", "page_viewed 1d ago")
        Lead.objects.filter(pk=lead.pk).update(title="Chief Financial Officer", country="US")
    score_all()
    after = backtesting.back_test(Weights.of(draft))
    assert {**before, "as_of": ""} == {**after, "as_of": ""}


def test_a_draft_that_knows_better_ranks_better(draft):
    """Downloads won, pricing pages did not: the active version sees it the other way round."""
    for _lead in range(4):
        decided("won", "file_downloaded 61d ago")
        decided("lost", "pricing_page_viewed 61d ago", "pricing_page_viewed 64d ago")
    score_all()
    draft.rules.filter(signal__key="download").update(points=40)
    draft.rules.filter(signal__key="pricing_page").update(points=-5)
    result = backtesting.back_test(Weights.of(draft), Weights.of(ModelVersion.objects.active()))
    mine, theirs = result["sides"]
    assert mine["auc"]["value"] == 1 and theirs["auc"]["value"] == 0
    assert result["difference"]["value"] == 1
    assert mine["capacity"][3] == (4, 4) and theirs["capacity"][3] == (4, 0)
    download = Signal.objects.get(key="download").pk
    rule = next(rule for rule in result["rules"] if rule["signal"] == download)
    assert rule["held"] == {"won": 4, "not_won": 0, "lost": 0}
    assert (rule["points"], rule["points_in_force"]) == (40, 8)
    assert rule["mean_won"] > 30 and rule["mean_not_won"] == 0
    assert rule["verdict"] == "too_few"


def test_a_rule_is_judged_from_thirty_leads_on():
    judged = backtesting._against_the_rest(2, 38, 50, 50)
    assert judged["verdict"] == "loses" and judged["rate_difference"]["high"] < 0
    assert backtesting._against_the_rest(29, 0, 50, 50)["verdict"] == "too_few"
    assert backtesting._against_the_rest(20, 20, 50, 50)["verdict"] == "unclear"


def test_without_outcomes_it_says_nothing(draft):
    result = backtesting.back_test(Weights.of(draft))
    assert result["counts"] == {} and result["sides"][0]["auc"] is None


def test_it_is_made_in_the_background_and_kept(draft):
    decided("won", "demo_requested 61d ago")
    decided("lost", "page_viewed 61d ago")
    score_all()
    study = backtesting.request(draft.pk, by=SYSTEM)
    assert backtesting.request(draft.pk, by=SYSTEM) == study
    assert study.is_running and backtesting.drain() == 1 and backtesting.drain() == 0
    kept = backtesting.newest_of(draft)
    assert kept.finished_at and kept.result["counts"] == {"won": 1, "lost": 1}
    assert (kept.done_count, kept.total_count) == (2, 2)
    draft.rules.filter(signal__key="demo").update(points=3)
    assert backtesting.newest_of(draft) is None


def test_a_draft_that_changed_while_it_waited_is_tested_as_it_is(draft):
    old = backtesting.request(draft.pk, by=SYSTEM)
    draft.rules.filter(signal__key="demo").update(points=3)
    new = backtesting.request(draft.pk, by=SYSTEM)
    assert list(BackTest.objects.all()) == [new] and new != old


def test_one_that_fails_again_and_again_stops_and_can_be_asked_for_anew(draft, monkeypatch):
    backtesting.request(draft.pk, by=SYSTEM)
    with monkeypatch.context() as broken:
        broken.setattr(backtesting, "back_test", lambda *args: 1 / 0)
        while BackTest.objects.get().is_running:
            backtesting.drain()
    assert "division by zero" in BackTest.objects.get().error
    assert backtesting.drain() == 0
    assert backtesting.request(draft.pk, by=SYSTEM).is_running
    backtesting.drain()
    assert BackTest.objects.get().finished_at


def test_windows_and_silences_are_frozen_as_the_ledger_has_them(draft):
    lead = good_fit_lead()
    tell_events(lead, "webinar_attended 50d ago", "webinar_attended 20d ago")
    kinds = {"lately": {"window_days": 10}, "silent": {"inactive_days": 14}}
    for key, fields in kinds.items():
        signal = Signal(key=key, label=key, axis="interest", event_kind="webinar_attended")
        for name, value in fields.items():
            setattr(signal, name, value)
        drafting.prepare_signal(signal)
        Signal.objects.bulk_create([signal])
        draft.rules.create(signal=signal, points=7 if key == "lately" else -5)
    score_all()
    weights = Weights.of(draft)
    signals = backtesting.signals_of(weights)
    cutoffs = [Cutoff(lead.pk, days_ago(d)) for d in (49, 38, 30, 19, 3)]
    scores = score(frozen_features(cutoffs, signals), signals, weights)
    ledger, facts = Ledger(draft), facts_of_many([lead.pk], now())[lead.pk]
    exact = [float(ledger.at(facts, cutoff.as_of).score) for cutoff in cutoffs]
    assert scores.total.tolist() == exact


def test_a_back_test_is_old_once_a_signal_counts_something_else_or_words_mean_another(draft):
    signal = Signal(key="looks", label="Looks", axis="interest", event_kind="page_viewed")
    drafting.prepare_signal(signal)
    signal.save()
    draft.rules.create(signal=signal, points=5)
    seen = {backtesting.fingerprint(draft)}
    Signal.objects.filter(pk=signal.pk).update(event_kind="demo_requested")
    seen.add(backtesting.fingerprint(draft))
    titles = Signal(key="chief", label="Chief", axis="fit")
    titles.conditions = [{"field": "seniority", "operator": "is", "value": "executive"}]
    drafting.prepare_signal(titles)
    titles.save()
    draft.rules.create(signal=titles, points=5)
    Signal.objects.update(counted_at=now())
    seen.add(backtesting.fingerprint(draft))
    dictionaries.write_entry(TitleWord(word="boss", seniority="executive"), is_new=True)
    seen.add(backtesting.fingerprint(draft))
    assert len(seen) == 4
    assert backtesting.fingerprint(draft) in seen
