"""The books are checked while others write: no false alarm, and what is wrong is still found."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.utils.timezone import now

from leads.models import Lead, Standing
from scoring import account_scores, account_verifying, rescore, rule_verifying, verifying
from scoring.models import LeadFeature
from tests.factories import AccountFactory, LeadFactory, tell_events

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def lead() -> Lead:
    lead = LeadFactory(title="CEO", country="DE", account=AccountFactory(), has_consent=True)
    tell_events(lead, "page_viewed 2d ago /pricing")
    settle()
    return lead


def settle() -> None:
    while rescore.drain() or account_scores.drain():
        pass


def elsewhere(action: Callable[[], object]) -> None:
    """On another connection, committed when this returns."""

    def act() -> None:
        try:
            action()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(act).result()


def more_happens() -> None:
    """Events arrive, are given to their lead, and it is scored."""
    told = ("webinar_attended 1h ago", "call_held 2h ago", "page_viewed 3h ago /careers")
    tell_events(Lead.objects.get(), *told)
    settle()


def after(monkeypatch, module, name: str, action: Callable[[], object]) -> list:
    """Have `action` done elsewhere once this function of the module has returned for the first
    time: the action may call it, too."""
    original, calls = getattr(module, name), []

    def watched(*args, **kwargs):
        found = original(*args, **kwargs)
        calls.append(name)
        if len(calls) == 1:
            elsewhere(action)
        return found

    monkeypatch.setattr(module, name, watched)
    return calls


@pytest.mark.parametrize(
    ("module", "between", "check"),
    [
        (rule_verifying, "read_hits", "hits_against_rules"),
        (verifying, "facts_of_many", "standings_against_ledger"),
        (verifying, "reigns", "standings_against_ledger"),
    ],
)
def test_what_arrives_between_two_reads_is_no_discrepancy(
    lead, monkeypatch, module, between, check
):
    calls = after(monkeypatch, module, between, more_happens)
    assert getattr(verifying, check)([lead.pk]) == []
    assert calls
    assert lead.events.count() == 4


def test_a_lead_that_is_scored_between_two_reads_is_no_discrepancy(lead, monkeypatch):
    calls = after(monkeypatch, verifying, "current_scores_query", more_happens)
    assert verifying.standings_against_features() == []
    after(monkeypatch, verifying.folding, "weighed_query", more_happens)
    assert verifying.features_against_events() == []
    assert calls


def test_a_field_that_changes_between_two_reads_is_no_discrepancy(lead, monkeypatch):
    def become_a_student() -> None:
        Lead.objects.update(title="Student", country="FR")
        rescore.enqueue([lead.pk])
        settle()

    calls = after(monkeypatch, rule_verifying.dictionaries, "read", become_a_student)
    assert verifying.matches_against_fields([lead.pk]) == []
    assert calls


def test_people_who_are_scored_between_two_reads_are_no_discrepancy(lead, monkeypatch):
    people_of = account_verifying._people_of

    def later(account_ids):
        elsewhere(more_happens)
        return people_of(account_ids)

    monkeypatch.setattr(account_verifying, "_people_of", later)
    assert account_verifying.verify(None) == []


def test_who_waits_by_the_time_of_the_comparison_is_left_out(lead, monkeypatch):
    """The sample was chosen when nothing waited."""
    chosen = verifying.sample_of_leads(None)
    Standing.objects.update(score=99)
    assert verifying.standings_against_ledger(chosen)
    elsewhere(lambda: rescore.enqueue([lead.pk]))
    assert verifying.standings_against_ledger(chosen) == []


def test_damage_is_found_whatever_happens_meanwhile(lead, monkeypatch):
    Standing.objects.update(score=99)
    after(monkeypatch, verifying, "facts_of_many", more_happens)
    found = verifying.standings_against_ledger([lead.pk])
    assert [(one.check, one.lead_id) for one in found] == [("standing ≠ ledger", lead.pk)]
    assert verifying.verify(None) == []  # the lead was scored anew


@pytest.mark.parametrize(("hours", "found"), [(1, []), (48, ["standing ≠ features"])])
def test_a_standing_may_follow_its_features_for_a_day_and_no_longer(lead, hours, found):
    at = now() - timedelta(hours=hours)
    LeadFeature.objects.update(folded_at=at)
    Standing.objects.update(score=99, scored_at=at - timedelta(minutes=1))
    assert [one.check for one in verifying.standings_against_features()] == found


def test_a_swap_of_all_standings_waits_for_the_comparison(lead, monkeypatch):
    """To a moment before it was there the new table would be empty."""
    score_all = threading.Thread(target=lambda: elsewhere(rescore.recompute_all))
    query_of = verifying.current_scores_query

    def meanwhile(*args, **kwargs):
        score_all.start()
        while score_all.is_alive() and not somebody_waits():
            time.sleep(0.01)
        return query_of(*args, **kwargs)

    monkeypatch.setattr(verifying, "current_scores_query", meanwhile)
    Standing.objects.update(score=99)
    found = verifying.standings_against_features()
    score_all.join()
    assert [one.lead_id for one in found] == [lead.pk]
    assert "stored 99.00" in found[0].detail
    monkeypatch.undo()
    assert verifying.verify(None) == []


def somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return cursor.fetchone()[0]


def test_a_check_writes_nothing(lead):
    with pytest.raises(Exception, match="read-only"), verifying.one_moment():
        Standing.objects.update(score=1)
