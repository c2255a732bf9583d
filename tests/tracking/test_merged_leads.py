"""Events of leads that were merged: where they go, and that they come back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from leads.capture import capture_lead
from leads.models import Consent, ExternalId, Lead
from leads.stages import Stage
from tests.leads.merging import merge, prove, refresh, unmerge
from tests.leads.people import SYSTEM
from tracking.models import Event, MergedEvents, VisitorLink

DAY = timedelta(days=1)


def known(email: str) -> Lead:
    return capture_lead(by=SYSTEM, email=email, is_verified=True)[0]


@pytest.fixture
def ada(tell, attach) -> Lead:
    """Known with a browser of her own, v1, and the user id u1."""
    tell("identify", who="v1", user="u1", email="ada@acme.example", ago=5 * DAY)
    attach()
    return Lead.objects.get(email="ada@acme.example")


@pytest.fixture
def twin(tell, attach) -> Lead:
    """Known with another browser, v2, the user id u2 and another address."""
    tell("identify", who="v2", user="u2", email="ada@web.example", ago=4 * DAY)
    tell("page", who="v2", path="/before", ago=3 * DAY)
    attach()
    return Lead.objects.get(email="ada@web.example")


def paths_of(lead: Lead) -> list[str]:
    events = Event.objects.filter(lead=lead).exclude(path="")
    return sorted(events.values_list("path", flat=True))


def test_everything_that_names_the_loser_goes_to_the_survivor(ada, twin, tell, attach, mia):
    merge(ada, twin, mia)
    tell("page", who="v2", path="/visitor")
    tell("File Downloaded", user="u2", context={"page": {"path": "/user"}})
    tell("Form Submitted", who="v3", email="ADA@web.example", context={"page": {"path": "/form"}})
    tell("page", who="v3", path="/new-browser")
    tell("Call Held", trusted=True, email="ada@web.example", context={"page": {"path": "/call"}})
    attach()
    assert paths_of(ada) == ["/before", "/call", "/form", "/new-browser", "/user", "/visitor"]
    assert not Event.objects.filter(lead=twin).exists()
    assert not VisitorLink.objects.filter(is_flagged=True).exists()
    assert Lead.objects.count() == 2
    prove()


def test_the_survivor_keeps_what_is_its_own_when_a_merge_is_taken_apart(
    ada, twin, tell, attach, mia
):
    row = merge(ada, twin, mia, choices={"email": "loser"})
    tell("page", who="v1", path="/hers")
    tell("page", who="v2", path="/visitor")
    tell("File Downloaded", user="u2", context={"page": {"path": "/user"}})
    tell("Form Submitted", who="v3", email="ada@web.example", context={"page": {"path": "/form"}})
    tell("page", who="v3", path="/new-browser")
    tell("Form Submitted", who="v4", email="ada@acme.example", context={"page": {"path": "/x"}})
    attach()
    unmerge(row, mia)
    assert paths_of(twin) == ["/before", "/form", "/new-browser", "/user", "/visitor"]
    assert paths_of(ada) == ["/hers", "/x"]  # the address she gave up for the twin's
    assert Lead.objects.count() == 2
    prove()
    tell("page", who="v3", path="/after")
    tell("page", who="v1", path="/hers-after")
    attach()
    assert "/after" in paths_of(twin) and "/hers-after" in paths_of(ada)
    prove()


def test_a_survivor_that_is_merged_itself_passes_everything_on(ada, twin, tell, attach, mia):
    third = known("boss@acme.example")
    below = merge(ada, twin, mia)
    above = merge(third, ada, mia)
    tell("page", who="v2", path="/visitor")
    attach()
    assert paths_of(third) == ["/before", "/visitor"]
    unmerge(above, mia)
    assert paths_of(ada) == ["/before", "/visitor"]
    unmerge(below, mia)
    assert (paths_of(ada), paths_of(twin)) == ([], ["/before", "/visitor"])
    prove()


def test_consent_by_the_losers_address_is_the_losers_again(ada, twin, tell, attach, mia):
    row = merge(ada, twin, mia)
    tell("Form Submitted", who="v2", email="ada@web.example", consent=True)
    attach()
    refresh(ada)
    assert ada.stage == Stage.QUALIFIED
    unmerge(row, mia)
    newest = {lead.pk: lead.consents.first() for lead in (ada, twin)}
    assert [newest[lead.pk].is_granted for lead in (ada, twin)] == [False, True]
    assert Consent.objects.filter(lead=twin).count() == 1


@pytest.fixture
def vouched(tell, attach) -> tuple[Lead, Lead]:
    """Two people whom a server named, each with a title and a phone number."""
    for name, phone in (("cee", "333"), ("bee", "222")):
        tell("identify", user=name, email=f"{name}@acme.example", trusted=True, phone=phone,
             title=f"Head of {name}", ago=2 * DAY)  # fmt: skip
    attach()
    return tuple(Lead.objects.get(email=f"{name}@acme.example") for name in ("cee", "bee"))


def profile(lead: Lead) -> tuple[str, str, str]:
    lead.refresh_from_db()
    return (lead.title, lead.phone, lead.company)


def test_what_was_said_of_the_loser_meanwhile_goes_with_it(vouched, tell, attach, mia):
    cee, bee = vouched
    row = merge(cee, bee, mia)
    tell("identify", user="bee", trusted=True, title="VP of bee", phone="999", company="Bee Ltd",
         ago=DAY)  # fmt: skip
    tell("identify", user="cee", trusted=True, title="CEO")
    tell("identify", user="bee", trusted=True, title="SVP of bee")
    attach()
    assert profile(cee) == ("SVP of bee", "999", "Bee Ltd")
    unmerge(row, mia)
    assert profile(cee) == ("CEO", "333", "")
    assert profile(bee) == ("SVP of bee", "999", "Bee Ltd")
    prove()


def test_a_correction_by_hand_stays_when_a_merge_is_taken_apart(vouched, tell, attach, mia):
    cee, bee = vouched
    row = merge(cee, bee, mia, choices={"title": "loser"})
    tell("identify", user="bee", trusted=True, title="VP of bee", phone="999")
    attach()
    Lead.objects.filter(pk=cee.pk).update(phone="110")
    unmerge(row, mia)
    assert profile(cee) == ("Head of cee", "110", "")
    assert profile(bee) == ("VP of bee", "999", "")


def test_ids_that_are_new_name_the_lead_that_said_them(ada, twin, tell, attach, mia):
    row = merge(ada, twin, mia)
    tell("identify", user="u9", email="ada@web.example", trusted=True)
    attach()
    assert ExternalId.objects.get(value="u9").lead == twin
    tell("Trial Started", user="u9", trusted=True)
    attach()
    assert Event.objects.get(kind="trial_started").lead == ada
    unmerge(row, mia)
    assert Event.objects.get(kind="trial_started").lead == twin


def test_an_address_taken_away_by_hand_names_its_new_owner(ada, twin, tell, attach, mia):
    merge(ada, twin, mia)
    other = known("new@acme.example")
    Lead.objects.filter(pk=other.pk).update(email="ada@web.example")
    tell("Call Held", trusted=True, email="ada@web.example")
    attach()
    assert Event.objects.get(kind="call_held").lead == other


def multiply(event: Event, times: int) -> None:
    """Copies of an event that differ from it in nothing but their message ids."""
    fields = [field.column for field in Event._meta.concrete_fields]
    same = ", ".join(column for column in fields if column not in ("id", "message_id"))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO tracking_event (message_id, {same})
                SELECT 'copy' || n, {same} FROM tracking_event, generate_series(1, %s) AS n
                 WHERE id = %s""",
            [times, event.pk],
        )


def test_fifty_thousand_events_are_moved_and_given_back(ada, twin, mia, website):
    said = {"source": website, "message_id": "one", "kind": "page_viewed", "lead": twin}
    multiply(
        Event.objects.create(**said, occurred_at=ada.created_at, anonymous_id="v2"), times=50_000
    )
    before = Event.objects.filter(lead=twin).count()
    row = merge(ada, twin, mia)
    assert len(MergedEvents.objects.get(merge=row).event_ids) == before >= 50_000
    unmerge(row, mia)
    assert Event.objects.filter(lead=twin).count() == before
