"""Colleagues decide in the same instant: one wins, the others hear who it was."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from django.db import connection

from leads.actors import Actor
from leads.refusals import Conflict
from sales import handoff as handoffs
from sales import opportunities
from sales.models import Handoff, HandoffEvent, Opportunity
from tests.conftest import person
from tests.sales.conftest import become_mql, handoff_of

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts) -> list:
    """Run all acts at the same time; what each returned or raised, in order."""
    outcomes: list = [None] * len(acts)
    start = Barrier(len(acts))

    def run(index: int) -> None:
        try:
            start.wait(10)
            outcomes[index] = acts[index]()
        except Exception as error:
            outcomes[index] = error
        finally:
            connection.close()

    threads = [Thread(target=run, args=[index]) for index in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return outcomes


@pytest.fixture
def queued(sam, ana, mona) -> Handoff:
    handoff = handoff_of(become_mql(ana))
    return handoffs.assign(handoff.pk, None, by=Actor.of(mona))


@pytest.mark.parametrize("round_number", range(3))
def test_exactly_one_decision_wins(queued, sam, mona, ana, north, round_number):
    reps = [sam, *(person(name, "rep", north) for name in ("Tom", "Ida", "Max"))]
    acts = [
        *(lambda rep=rep: handoffs.accept(queued.pk, by=Actor.of(rep)) for rep in reps),
        *(
            lambda boss=boss: handoffs.reject(queued.pk, by=Actor.of(boss), reason_code="no_budget")
            for boss in (mona, ana)
        ),
        lambda: handoffs.take(queued.pk, by=Actor.of(sam)),
    ]
    outcomes = at_once(*acts)
    decided = [o for o in outcomes[:-1] if isinstance(o, Handoff)]
    refused = [o for o in outcomes[:-1] if not isinstance(o, Handoff)]
    assert len(decided) == 1
    assert all(isinstance(o, Conflict) for o in refused), outcomes
    winner = decided[0]
    faster = [str(o) for o in refused if "was faster" in str(o)]
    assert all(str(winner.decided_by) in sentence for sentence in faster)
    queued.refresh_from_db()
    assert (queued.state, queued.decided_by) == (winner.state, winner.decided_by)
    kinds = list(HandoffEvent.objects.values_list("kind", flat=True))
    assert kinds.count("accepted") + kinds.count("rejected") == 1
    queued.lead.refresh_from_db()
    assert queued.lead.stage == ("sal" if winner.state == "accepted" else "qualified")


def test_a_deal_is_won_or_lost_and_never_both(deal, sam, mona):
    opportunity = Opportunity.objects.get(lead=deal)
    outcomes = at_once(
        lambda: opportunities.win(opportunity.pk, by=Actor.of(sam)),
        lambda: opportunities.lose(opportunity.pk, by=Actor.of(mona), reason="Price"),
    )
    assert sum(isinstance(o, Opportunity) for o in outcomes) == 1
    assert sum(isinstance(o, Conflict) for o in outcomes) == 1
    opportunity.refresh_from_db()
    deal.refresh_from_db()
    assert deal.stage == {"won": "customer", "lost": "lost"}[opportunity.outcome]


def test_two_drains_submit_a_lead_once(mql, handoff):
    from sales.handoff import open_missing

    with connection.cursor() as cursor:
        cursor.execute("SET funnel.erasing = 'on'")
        cursor.execute("DELETE FROM sales_handoffevent")
        cursor.execute("DELETE FROM sales_handoff")
        cursor.execute("SET funnel.erasing = 'off'")
    outcomes = at_once(*[lambda: open_missing(10)] * 4)
    assert sorted(outcomes) == [0, 0, 0, 1]
    assert Handoff.objects.count() == 1
