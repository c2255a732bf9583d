"""Whatever is damaged behind the database's back, `verify_ledger` finds it."""

from __future__ import annotations

from collections.abc import Iterator
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from funnel_app.verifying import items
from tests.factories import LeadFactory, tell_events

# What is damaged → (SQL that does it, words of the check that must find it).
DAMAGES = {
    "a lead without history": (
        "DELETE FROM leads_stageepisode WHERE lead_id = (SELECT min(id) FROM leads_lead)",
        "has a first episode",
    ),
    "a gap in the history": (
        "DELETE FROM leads_stageepisode WHERE (lead_id, seq) IN (SELECT id, 2 FROM leads_lead"
        " WHERE episode_seq > 2 LIMIT 1)",
        "without a gap",
    ),
    "the beginning is missing": (
        "DELETE FROM leads_stageepisode WHERE seq = 1 AND lead_id IN (SELECT id FROM leads_lead"
        " WHERE episode_seq = 3 LIMIT 1)",
        "has a first episode",
    ),
    "a lead in another stage than its history says": (
        "UPDATE leads_lead SET stage = 'customer' WHERE id = (SELECT min(id) FROM leads_lead"
        " WHERE stage = 'qualified')",
        "stage of its newest episode",
    ),
    "a cached cycle that is wrong": (
        "UPDATE leads_lead SET cycle = cycle + 1 WHERE id = (SELECT min(id) FROM leads_lead)",
        "stage of its newest episode",
    ),
    "a cached number of episodes that is wrong": (
        "UPDATE leads_lead SET episode_seq = 99 WHERE id = (SELECT min(id) FROM leads_lead)",
        "stage of its newest episode",
    ),
    "a cached instant that is wrong": (
        "UPDATE leads_lead SET stage_entered_at = now() WHERE id ="
        " (SELECT min(id) FROM leads_lead)",
        "stage of its newest episode",
    ),
    "an episode closed by hand": (
        "UPDATE leads_stageepisode SET left_at = now(), exit_kind = 'lost' WHERE id ="
        " (SELECT max(id) FROM leads_stageepisode WHERE left_at IS NULL)",
        "no other, is open",
    ),
    "a time that was moved": (
        "UPDATE leads_stageepisode SET entered_at = entered_at - interval '9 days' WHERE id ="
        " (SELECT max(id) FROM leads_stageepisode WHERE seq = 2)",
        "how the one before it ended",
    ),
    "a silent change of cycle": (
        "UPDATE leads_stageepisode SET cycle = 7 WHERE id ="
        " (SELECT max(id) FROM leads_stageepisode WHERE seq = 3)",
        "how the one before it ended",
    ),
    "an illegal jump": (
        "UPDATE leads_stageepisode SET stage = 'customer', entry_kind = 'advanced' WHERE id ="
        " (SELECT min(id) FROM leads_stageepisode WHERE stage = 'mql')",
        "legal one",
    ),
    "a lead without standing": (
        "DELETE FROM leads_standing WHERE lead_id = (SELECT max(lead_id) FROM leads_standing)",
        "has a standing",
    ),
    "a lost event": (
        "DELETE FROM tracking_event WHERE id = (SELECT max(id) FROM tracking_event)",
        "accepted = stored + purged",
    ),
    "a counter that is wrong": (
        "UPDATE tracking_ingestcount SET count = count + 1 WHERE id ="
        " (SELECT max(id) FROM tracking_ingestcount WHERE outcome = 'received')",
        "received = accepted",
    ),
    "a quarantined message that was thrown away": (
        "INSERT INTO tracking_ingestcount (source_id, day, outcome, reason, count)"
        " SELECT id, '2001-01-01', outcome, '', 1 FROM tracking_source,"
        " unnest(ARRAY['received', 'quarantined']) outcome WHERE name = 'Website'",
        "lie in quarantine",
    ),
    "work for an event that is not there": (
        "INSERT INTO tracking_pendingevent (event_id, attempts) VALUES (987654321, 0)",
        "is a stored event",
    ),
    "an event taken from its lead": (
        "UPDATE tracking_event SET lead_id = NULL WHERE id ="
        " (SELECT max(id) FROM tracking_event WHERE lead_id IS NOT NULL AND anonymous_id <> '')",
        "belongs to a lead",
    ),
    "a visitor who is somebody else": (
        "UPDATE tracking_visitor SET lead_id = (SELECT min(id) FROM leads_lead) WHERE id ="
        " (SELECT max(id) FROM tracking_visitor WHERE lead_id IS NOT NULL)",
        "lead of the newest link",
    ),
    "an event that says something else": (
        "UPDATE tracking_event SET kind = 'demo_requested' WHERE id ="
        " (SELECT max(id) FROM tracking_event WHERE lead_id IS NOT NULL AND kind = 'page_viewed'"
        "  AND verdict = 0)",
        "≠",
    ),
    "a score that somebody made up": (
        "UPDATE leads_standing SET score = 9900 WHERE lead_id ="
        " (SELECT max(lead_id) FROM leads_standing)",
        "standing",
    ),
    "features that do not follow from hits": (
        "UPDATE scoring_leadfeature SET sums = sums[1:14] || 5::float8 || sums[16:] WHERE lead_id ="
        " (SELECT max(lead_id) FROM scoring_leadfeature)",
        "features",
    ),
    "an MQL nobody was told of": (
        "DELETE FROM sales_handoff WHERE id ="
        " (SELECT max(id) FROM sales_handoff WHERE state = 'submitted')",
        "one hand-off that waits",
    ),
    "a hand-off for somebody who is no MQL": (
        "UPDATE sales_handoff SET state = 'submitted', decided_at = NULL WHERE id ="
        " (SELECT max(id) FROM sales_handoff WHERE state = 'accepted')",
        "an MQL now",
    ),
    "a rejection that was turned around": (
        "UPDATE sales_handoff SET state = 'accepted', reject_reason_id = NULL WHERE id ="
        " (SELECT max(id) FROM sales_handoff WHERE state = 'rejected')",
        "its decision ended it",
    ),
    "a log that was forged": (
        "DELETE FROM sales_handoffevent WHERE kind = 'accepted'",
        "log of a hand-off",
    ),
    "a deal that was won on paper": (
        "UPDATE sales_opportunity SET outcome = 'won' WHERE id ="
        " (SELECT max(id) FROM sales_opportunity WHERE outcome = 'lost')",
        "deal is won",
    ),
    "an SQL without a deal": (
        "DELETE FROM sales_opportunity WHERE id ="
        " (SELECT max(id) FROM sales_opportunity WHERE outcome = 'open')",
        "in SQL has an open",
    ),
    "a figure that somebody rounded": (
        "UPDATE insights_cell SET stay_count = stay_count + 1 WHERE stay_count ="
        " (SELECT max(stay_count) FROM insights_cell)",
        "roll-ups",
    ),
    "a stay that was forgotten": (
        "DELETE FROM insights_stay WHERE lead_id = (SELECT max(id) FROM leads_lead)",
        "roll-ups",
    ),
    "a deal that was closed behind the lead's back": (
        "UPDATE sales_opportunity SET outcome = 'lost', closed_at = now() WHERE id ="
        " (SELECT max(id) FROM sales_opportunity WHERE outcome = 'open')",
        "has an open",
    ),
}


def damage(sql: str) -> int:
    """Do what no trigger and no foreign key would allow; returns how many rows."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql)
        count = cursor.rowcount
        cursor.execute("SET LOCAL session_replication_role = origin")
    return count


def wrong_titles() -> Iterator[str]:
    """As they are found; scoring's, which take longest, last."""
    for item in sorted(items(None), key=lambda item: item.about == "scoring"):
        yield from (outcome.title for outcome in item.run() if outcome.count)


@pytest.mark.parametrize("what", DAMAGES)
def test_damage_is_found(company, db, what):
    sql, words = DAMAGES[what]
    assert damage(sql), "nothing was damaged: the test is blind"
    assert any(words in title for title in wrong_titles())


def test_the_command_says_what_is_wrong_and_exits_with_an_error(company, db):
    sql, _words = DAMAGES["a lead in another stage than its history says"]
    damage(sql)
    said = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_ledger", stdout=said)
    assert ended.value.code == 1
    assert "Not true: a lead is in the stage of its newest episode. 1 times" in said.getvalue()
    assert ": is in customer (cycle" in said.getvalue()


def test_the_command_is_content_with_an_empty_database(db):
    said = StringIO()
    call_command("verify_ledger", "--all", stdout=said)
    assert "The books balance." in said.getvalue()


def test_what_came_through_the_doors_balances(db, mia):
    lead = LeadFactory(title="CEO", country="DE", has_consent=True)
    tell_events(lead, "page_viewed 3d ago /pricing", "demo_requested 2d ago", "call_held 1h ago")
    assert lead.events.count() == 3
    assert list(wrong_titles()) == []
