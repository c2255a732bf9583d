"""What `alias` may do: name the lead of an id that nobody knew, and no more."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leads.duplicates import told_by_others
from leads.models import Lead, Merge
from tracking.models import Alias, Event, VisitorLink

HOUR = timedelta(hours=1)


@pytest.fixture
def ada(tell, attach) -> Lead:
    tell("identify", user="u1", email="ada@acme.example", trusted=True, ago=5 * HOUR)
    attach()
    return Lead.objects.get(email="ada@acme.example")


def owner(path: str) -> Lead | None:
    return Event.objects.get(path=path).lead


@pytest.mark.parametrize("trusted", [False, True])
def test_an_anonymous_id_becomes_that_of_the_known_user(ada, tell, attach, trusted):
    tell("page", who="v1", path="/before", ago=2 * HOUR)
    tell("alias", user="u1", previous_id="v1", trusted=trusted, ago=HOUR)
    tell("page", who="v1", path="/after")
    attach()
    # Ada is verified: whoever has the public key could give her the past of any browser.
    assert (owner("/before"), owner("/after")) == (ada if trusted else None, ada)
    link = VisitorLink.objects.get()
    assert (link.lead, link.is_flagged) == (ada, False)


def test_a_trusted_source_gives_a_known_lead_another_id(ada, tell, attach):
    tell("Trial Started", user="new", trusted=True, context={"page": {"path": "/early"}},
         ago=2 * HOUR)  # fmt: skip
    tell("alias", user="new", previous_id="u1", trusted=True, ago=HOUR)
    tell("Trial Started", user="new", trusted=True, context={"page": {"path": "/t"}})
    attach()
    assert (owner("/early"), owner("/t")) == (ada, ada)


def test_a_browser_may_not_give_somebody_known_another_id(ada, tell, attach):
    tell("alias", user="mine", previous_id="u1", ago=HOUR)
    tell("Trial Started", user="mine", context={"page": {"path": "/t"}})
    attach()
    assert owner("/t") is None


def test_two_known_people_are_flagged_and_never_merged(ada, tell, attach, mia):
    tell("identify", user="u2", email="ben@acme.example", trusted=True, ago=2 * HOUR)
    tell("alias", user="u2", previous_id="u1", trusted=True, ago=HOUR)
    tell("Trial Started", user="u1", trusted=True, context={"page": {"path": "/t"}})
    attach()
    assert owner("/t") == ada
    assert Lead.objects.count() == 2 and not Merge.objects.exists()
    [hint] = told_by_others(mia)
    assert {hint.first.email, hint.second.email} == {"ada@acme.example", "ben@acme.example"}
    assert "ids are one person's" in hint.sentence


def test_what_is_said_of_unknown_ids_counts_once_one_is_known(tell, attach):
    tell("page", who="v1", path="/before", ago=3 * HOUR)
    tell("alias", user="u1", previous_id="v1", ago=2 * HOUR)
    attach()
    assert Alias.objects.count() == 1 and not Lead.objects.exists()
    tell("identify", user="u1", email="ada@acme.example", trusted=True, ago=HOUR)
    attach()
    assert owner("/before") == Lead.objects.get()
    tell("page", who="v1", path="/after")
    attach()
    assert owner("/after") == Lead.objects.get()


def test_odd_aliases_do_nothing(ada, tell, attach):
    for previous in ("", "u1", None, {"a": 1}, "x" * 500):
        tell("alias", user="u1", previous_id=previous)
    tell("alias", who="v1", previous_id="v2")
    attach()
    assert Lead.objects.count() == 1
