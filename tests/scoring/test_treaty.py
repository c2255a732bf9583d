"""What is published never changes, says PostgreSQL, even in raw SQL."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from leads.actors import Actor
from leads.models import Lead
from leads.refusals import Conflict, Refused
from scoring import drafting, publishing, rescore, terms
from scoring.models import ModelVersion, Publication, Rule, Signal
from tests.scoring.stories import (
    good_fit_lead,
    put_in_force,
    settle,
    sign,
    standing_of,
    tell_events,
)
from tracking.signals import event_recorded

pytestmark = pytest.mark.django_db

SYSTEM = Actor.system("test")


def raw(sql: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.fixture
def draft(db) -> ModelVersion:
    return drafting.clone_to_draft(ModelVersion.objects.active().pk, by=SYSTEM)


def finish() -> None:
    while publishing.drain():
        pass


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE scoring_modelversion SET threshold = 1",
        "UPDATE scoring_modelversion SET hysteresis = 1",
        "UPDATE scoring_modelversion SET state = 'signed'",
        "UPDATE scoring_modelversion SET state = 'draft'",
        "UPDATE scoring_modelversion SET state = 'retired', threshold = 1",
        "DELETE FROM scoring_modelversion",
        "UPDATE scoring_rule SET points = 99",
        "DELETE FROM scoring_rule",
        "UPDATE scoring_groupcap SET cap = 99",
        'INSERT INTO scoring_groupcap (version_id, axis, "group", cap)'
        " SELECT id, 'fit', 'new', 1 FROM scoring_modelversion",
        "UPDATE scoring_signal SET half_life_days = 1 WHERE axis = 'interest'",
        "UPDATE scoring_signal SET conditions = '[]' WHERE axis = 'fit'",
        "DELETE FROM scoring_signal",
    ],
)
def test_postgresql_refuses_to_change_what_is_published(sql):
    with pytest.raises(DatabaseError):
        raw(sql)
    assert ModelVersion.objects.get().threshold == 60


@pytest.mark.parametrize(
    "table", ["scoring_modelversion", "scoring_rule", "scoring_groupcap", "scoring_signal"]
)
def test_postgresql_refuses_to_empty_what_is_published(table):
    with pytest.raises(DatabaseError, match="append-only"):
        raw(f"SET LOCAL funnel.truncating = 'off'; TRUNCATE {table} CASCADE")


def test_only_one_version_is_active(draft):
    with pytest.raises(DatabaseError):
        raw("UPDATE scoring_modelversion SET state = 'active'")


def test_a_draft_is_a_copy_that_may_change(draft):
    active = ModelVersion.objects.active()
    assert (draft.number, draft.based_on) == (2, active)
    assert draft.rules.count() == active.rules.count() > 20
    assert draft.caps.count() == active.caps.count() > 3
    assert terms.changes_of(draft) == []
    draft.rules.filter(signal__key="download").update(points=9)
    draft.rules.filter(signal__key="video").delete()
    changes = {change.what: (change.before, change.after) for change in terms.changes_of(draft)}
    assert changes["Downloaded a file"] == (8, 9)
    assert changes["Watched a video"] == (4, None)


def test_only_admins_clone_and_publish(draft, mia, ana):
    with pytest.raises(Refused, match="Only admins"):
        drafting.clone_to_draft(draft.pk, by=Actor.of(mia))
    sign(draft)
    with pytest.raises(Refused, match="Only admins"):
        publishing.publish(draft.pk, by=Actor.of(mia))
    publishing.publish(draft.pk, by=Actor.of(ana))
    assert ModelVersion.objects.active().published_by == ana


def test_publishing_retires_scores_anew_and_keeps_the_books(draft):
    lead = good_fit_lead()
    tell_events(lead, "demo_requested 1d ago")
    rescore.enqueue([lead.pk])
    settle()
    before = standing_of(lead)
    draft.rules.filter(signal__key="demo").update(points=10)
    put_in_force(draft)
    after = standing_of(lead)
    assert after.interest < before.interest and after.model_version == 2
    old = ModelVersion.objects.get(number=1)
    assert old.state == "retired" and old.retired_at
    # Falling below the threshold takes nobody back from sales.
    assert Lead.objects.get(pk=lead.pk).stage == "mql"


def test_publishing_counts_a_new_signal_first(draft):
    lead = good_fit_lead()
    tell_events(lead, "review_posted 0d ago")
    event_recorded.send(sender=None, lead_ids=[lead.pk], event_ids=[])
    settle()
    signal = Signal(key="review", label="Wrote a review", axis="interest")
    signal.event_kind = "review_posted"
    drafting.prepare_signal(signal)
    Signal.objects.bulk_create([signal])
    Rule.objects.create(version=draft, signal=signal, points=40)
    publishing.publish(sign(draft).pk, by=SYSTEM)
    assert ModelVersion.objects.active().number == 1  # not before it is counted
    finish()
    assert ModelVersion.objects.active().number == 2
    assert standing_of(lead).interest == 40
    lead.refresh_from_db()
    assert lead.stage == "mql"


def test_one_publication_at_a_time(draft):
    signal = Signal(key="x", label="X", axis="interest", event_kind="review_posted")
    drafting.prepare_signal(signal)
    Signal.objects.bulk_create([signal])
    Rule.objects.create(version=draft, signal=signal, points=1)
    publishing.publish(sign(draft).pk, by=SYSTEM)
    other = sign(drafting.clone_to_draft(draft.pk, by=SYSTEM))
    with pytest.raises(Conflict, match="Version 2 is being published"):
        publishing.publish(other.pk, by=SYSTEM)


def test_a_publication_that_fails_stops_and_can_be_resumed(draft, ana, monkeypatch):
    publishing.publish(sign(draft).pk, by=SYSTEM)
    with monkeypatch.context() as broken:
        broken.setattr(rescore, "recompute_all", lambda: 1 / 0)
        for _attempt in range(9):
            publishing.drain()
    publication = Publication.objects.get()
    assert (publication.attempts, publication.finished_at) == (5, None)
    assert "division by zero" in publication.error
    publishing.resume(publication.version_id, by=Actor.of(ana))
    finish()
    publication.refresh_from_db()
    assert publication.finished_at and publication.error == ""
