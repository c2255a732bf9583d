"""Merges meet other merges, moves and incoming events: one wins, and the books balance."""

from __future__ import annotations

import pytest
from django.utils.timezone import now

from leads import lifecycle, merging
from leads.actors import Actor
from leads.models import Lead, Merge, StageEpisode
from leads.refusals import Conflict, Refused
from leads.stages import Stage
from leads.survivors import survivor_of
from tests.factories import LeadFactory
from tests.leads.merging import prove
from tests.sales.test_concurrency import at_once
from tracking import attaching
from tracking.ingest import Envelope, prepare
from tracking.models import Event, Source
from tracking.storing import store

pytestmark = pytest.mark.django_db(transaction=True)


def merge(survivor: Lead, loser: Lead, by) -> Merge:
    return merging.merge(survivor.pk, loser.pk, by=Actor.of(by), reason="same")


@pytest.mark.parametrize("round_number", range(3))
def test_two_leads_merged_into_each_other_at_once_end_as_one(mia, ana, round_number):
    ada, twin = LeadFactory(), LeadFactory()
    outcomes = at_once(lambda: merge(ada, twin, mia), lambda: merge(twin, ada, ana))
    won = [outcome for outcome in outcomes if isinstance(outcome, Merge)]
    [lost] = [outcome for outcome in outcomes if not isinstance(outcome, Merge)]
    assert len(won) == 1 and isinstance(lost, Conflict), outcomes
    assert survivor_of(ada.pk) == survivor_of(twin.pk) == won[0].survivor_id
    prove()


@pytest.mark.parametrize("round_number", range(3))
def test_a_ring_of_merges_never_closes(mia, round_number):
    leads = [LeadFactory() for _ in range(4)]
    outcomes = at_once(
        *(lambda n=n: merge(leads[n], leads[(n + 1) % 4], mia) for n in range(4)),
    )
    assert all(isinstance(outcome, Merge | Refused) for outcome in outcomes), outcomes
    left = Lead.objects.exclude(stage=Stage.MERGED)
    assert {survivor_of(lead.pk) for lead in leads} == set(left.values_list("pk", flat=True))
    prove()


@pytest.mark.parametrize("round_number", range(3))
def test_a_merge_and_a_move_of_the_same_lead_follow_each_other(mia, ana, round_number):
    ada = LeadFactory(has_consent=True)
    twin = LeadFactory(has_consent=True)
    merged, moved = at_once(
        lambda: merge(ada, twin, mia),
        lambda: lifecycle.advance(
            twin.pk, Stage.MQL, by=Actor.of(ana), override=True, reason="fair"
        ),
    )
    twin.refresh_from_db()
    if isinstance(merged, Merge):
        assert twin.stage == Stage.MERGED and isinstance(moved, Refused), moved
    else:
        assert twin.stage == Stage.MQL and isinstance(moved, StageEpisode)
        assert "further in the funnel" in str(merged)
    prove()


@pytest.mark.parametrize("round_number", range(3))
def test_events_that_come_during_a_merge_find_the_survivor(mia, round_number):
    ada, twin = LeadFactory(), LeadFactory()
    source = Source.objects.create(name="Server", kind=Source.Kind.SERVER)
    envelope = Envelope(source.pk, is_trusted=True, received_at=now())

    def send(number: int) -> int:
        for part in range(5):
            store(
                [
                    prepare(
                        {"type": "track", "event": "Call Held", "messageId": f"{number}-{part}-{n}",
                         "properties": {"email": twin.email}},
                        envelope,
                    )
                    for n in range(20)
                ]
            )  # fmt: skip
            attaching.drain()
        return number

    outcomes = at_once(lambda: send(1), lambda: send(2), lambda: merge(ada, twin, mia))
    assert outcomes[:2] == [1, 2] and isinstance(outcomes[2], Merge), outcomes
    while attaching.drain():
        pass
    assert Event.objects.filter(lead=ada).count() == 200
    prove()
    merging.unmerge(outcomes[2].pk, by=Actor.of(mia), reason="two")
    assert Event.objects.filter(lead=twin).count() == 200
    prove()


def test_a_merge_is_taken_apart_once(mia, ana):
    row = merge(LeadFactory(), LeadFactory(), mia)
    outcomes = at_once(
        *(lambda who=who: merging.unmerge(row.pk, by=Actor.of(who), reason="two")
          for who in (mia, ana))
    )  # fmt: skip
    assert sorted(isinstance(outcome, Conflict) for outcome in outcomes) == [False, True], outcomes
    prove()
