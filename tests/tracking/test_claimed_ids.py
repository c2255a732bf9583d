"""A user id that was claimed with a public key, until a trusted source says whose it is."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from leads.models import Consent, Lead
from tests.factories import settle
from tests.leads.merging import merge, prove
from tracking.models import Event, Visitor, VisitorLink

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
X = "cust-x"


def lead(email: str) -> Lead:
    return Lead.objects.get(email=email)


def at(path: str) -> dict:
    return {"page": {"path": path}}


def owner(path: str) -> str:
    event = Event.objects.select_related("lead").get(path=path)
    return event.lead.email if event.lead else ""


def claim(tell, **more):
    return tell("identify", user=X, email="evil@acme.example", **more)


def vouch(tell, **more):
    return tell("identify", user=X, email="victim@acme.example", trusted=True, **more)


def test_trusted_events_never_follow_a_claim(tell, attach):
    tell("Trial Started", user=X, trusted=True, context=at("/before"), ago=4 * HOUR)
    attach()
    claim(tell, ago=3 * HOUR)
    attach()
    tell("Trial Started", user=X, trusted=True, context=at("/after"), ago=2 * HOUR)
    tell("Unsubscribed", user=X, trusted=True, ago=2 * HOUR)
    tell("group", user=X, trusted=True, name="Evil Corp", ago=2 * HOUR)
    attach()
    assert (owner("/before"), owner("/after")) == ("", "")
    assert not Consent.objects.exists()
    assert lead("evil@acme.example").company == ""
    vouch(tell)
    attach()
    assert owner("/before") == owner("/after") == "victim@acme.example"
    prove()


STEPS = {
    "claim": lambda tell: claim(tell, ago=5 * HOUR, context=at("/claim")),
    "public": lambda tell: tell("Video Watched", user=X, ago=4 * HOUR, context=at("/public")),
    "browser": lambda tell: tell(
        "Video Watched", user=X, who="v9", ago=4 * HOUR, context=at("/browser")
    ),
    "vouch": lambda tell: vouch(tell, ago=3 * HOUR, context=at("/vouch")),
    "view": lambda tell: tell("page", who="v9", path="/view", ago=2 * HOUR),
    "server": lambda tell: tell(
        "Trial Started", user=X, trusted=True, ago=HOUR, context=at("/server")
    ),
}


def orders() -> list[tuple[str, ...]]:
    """A browser is linked by an id that names somebody when it is said."""
    named = [
        order
        for order in itertools.permutations(STEPS)
        if order.index("browser") > min(order.index("claim"), order.index("vouch"))
    ]
    return named[::61]


@pytest.mark.parametrize("order", orders())
@pytest.mark.parametrize("is_one_batch", [True, False])
def test_in_any_order_all_is_the_persons_whom_the_server_names(order, is_one_batch, tell, attach):
    for step in order:
        STEPS[step](tell)
        if not is_one_batch:
            attach()
    attach()
    settle()
    theirs = {owner(f"/{step}") for step in STEPS if step != "claim"}
    assert (owner("/claim"), theirs) == ("evil@acme.example", {"victim@acme.example"})
    evil, victim = lead("evil@acme.example"), lead("victim@acme.example")
    assert list(VisitorLink.objects.values_list("lead", "is_flagged")) == [(victim.pk, False)]
    assert Visitor.objects.get().lead == victim
    newest = {
        person: Event.objects.filter(lead=person).order_by("-occurred_at").first()
        for person in (evil, victim)
    }
    for person, event in newest.items():
        assert event is not None and person.last_activity.at == event.occurred_at
    prove()


def test_touches_and_score_go_along(tell, attach):
    claim(tell, ago=2 * DAY)
    url = "https://us.example/pricing?utm_source=bing&utm_medium=cpc"
    tell("page", user=X, who="v9", url=url, path="/pricing", ago=DAY)
    attach()
    prove()
    evil = lead("evil@acme.example")
    assert evil.touch.first_source == "bing"
    before = evil.standing.interest
    vouch(tell)
    attach()
    prove()
    victim = lead("victim@acme.example")
    assert victim.touch.first_source == "bing"
    assert not hasattr(lead("evil@acme.example"), "touch")
    assert (lead("evil@acme.example").standing.interest, victim.standing.interest) == (0, before)
    assert before > 0


def test_what_the_claimant_did_as_itself_stays(tell, attach):
    tell("Form Submitted", who="v1", email="evil@acme.example", context=at("/form"), ago=DAY)
    claim(tell, who="v1", ago=5 * HOUR)
    tell("page", who="v1", path="/own", ago=4 * HOUR)
    tell("Video Watched", user=X, who="v9", context=at("/taken"), ago=4 * HOUR)
    tell("Form Submitted", who="v9", email="evil@acme.example", context=at("/other"), ago=3 * HOUR)
    tell("page", who="v9", path="/since", ago=2 * HOUR)
    attach()
    vouch(tell)
    attach()
    assert {owner(path) for path in ("/form", "/own", "/other", "/since")} == {"evil@acme.example"}
    assert owner("/taken") == "victim@acme.example"
    links = VisitorLink.objects.filter(visitor__anonymous_id="v9").order_by("started_at")
    assert list(links.values_list("lead__email", "is_flagged")) == [
        ("victim@acme.example", False),
        ("evil@acme.example", True),
    ]
    prove()


def test_a_trusted_alias_makes_no_claim_a_fact(tell, attach):
    claim(tell, ago=3 * HOUR)
    tell("alias", user=X, previous_id="cust-y", trusted=True, ago=2 * HOUR)
    tell("Trial Started", user="cust-y", trusted=True, context=at("/y"), ago=HOUR)
    attach()
    assert owner("/y") == ""
    vouch(tell)
    attach()
    assert owner("/y") == "victim@acme.example"


def test_a_claimant_who_was_merged_gives_back_as_well(tell, attach, mia):
    claim(tell, ago=3 * HOUR)
    tell("Form Submitted", who="v5", email="other@acme.example", ago=2 * HOUR)
    tell("Video Watched", user=X, context=at("/public"), ago=HOUR)
    attach()
    merge(lead("other@acme.example"), lead("evil@acme.example"), mia)
    assert owner("/public") == "other@acme.example"
    vouch(tell)
    attach()
    assert owner("/public") == "victim@acme.example"
    prove()
