"""What a public key may say of somebody whom a trusted source or a colleague has named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from leads.models import Lead
from tests.leads.merging import prove
from tests.tracking.test_attaching import kinds_of
from tracking.models import Event, Visit, VisitorLink

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EVIL = "https://us.example/careers?utm_source=evil-affiliate&utm_medium=affiliate&utm_campaign=x"


@pytest.fixture
def ada(tell, attach) -> Lead:
    """A customer of old, named by our server, first seen in her own browser."""
    tell("page", who="hers", url="https://us.example/", ago=30 * DAY)
    tell(
        "identify", who="hers", user="cust-1", email="ada@acme.example", trusted=True, ago=30 * DAY
    )
    attach()
    prove()
    return Lead.objects.get()


def origin(lead: Lead) -> tuple:
    lead.refresh_from_db()
    return (lead.channel, lead.source, lead.medium, lead.campaign, lead.phone, lead.title)


def test_a_public_introduction_rewrites_nothing_of_her(ada, tell, attach):
    before, touch = origin(ada), ada.touch.first_at
    interest = ada.standing.interest
    long_ago = datetime.now(UTC) - datetime(2015, 1, 1, tzinfo=UTC)
    tell("page", who="evil", url=EVIL, ago=long_ago)
    tell("page", who="evil", url=EVIL, ago=40 * DAY)
    tell("page", who="evil", url=EVIL)
    tell("identify", who="evil", email="ada@acme.example", phone="+666", title="Queen",
         context={"page": {"url": EVIL}})  # fmt: skip
    attach()
    prove()
    ada = Lead.objects.get()
    assert origin(ada) == before
    assert (ada.touch.first_at, ada.touch.first_channel) == (touch, "direct")
    assert kinds_of(ada) == ["page_viewed", "identified", "identified"]
    assert ada.standing.interest >= interest


@pytest.mark.parametrize("by", ["email", "user"])
def test_nothing_of_before_her_first_touch_is_hers_on_a_public_word(by, ada, tell, attach):
    named = {"email": "ada@acme.example"} if by == "email" else {"user": "cust-1"}
    said = "Form Submitted" if by == "email" else "page"
    tell("page", who="evil", url=EVIL, ago=31 * DAY)
    tell(said, who="evil", context={"page": {"url": EVIL}}, ago=31 * DAY, **named)
    tell("page", who="evil", url=EVIL, ago=30 * DAY + timedelta(minutes=10))
    tell(said, who="evil", context={"page": {"url": EVIL}}, ago=30 * DAY - HOUR / 6, **named)
    attach()
    prove()
    ada = Lead.objects.get()
    assert (ada.touch.first_channel, Event.objects.filter(lead=ada).count()) == ("direct", 3)


def test_she_is_recognised_from_that_moment(ada, tell, attach):
    for days in (9, 6, 3):
        tell("page", who="new", path=f"/{days}", url=f"https://us.example/{days}", ago=days * DAY)
    url = "https://us.example/ask?utm_source=spring&utm_medium=email"
    tell("page", who="new", url=url, ago=HOUR * 0.8)
    form = tell("Form Submitted", who="new", email="ada@acme.example", ago=HOUR / 2)
    view = tell("page", who="new", path="/after", ago=HOUR / 6)
    attach()
    prove()
    ada = Lead.objects.get()
    assert kinds_of(ada) == ["page_viewed", "identified", "form_submitted", "page_viewed"]
    assert ada.last_activity.at == view.occurred_at
    # The visit that she was recognised in goes on as hers, and brought her by the same campaign.
    assert (ada.touch.last_channel, ada.touch.last_source) == ("email", "spring")
    hers = Visit.objects.get(lead=ada, anonymous_id="new")
    assert (hers.started_at, hers.event_count) == (form.occurred_at, 2)


def test_a_trusted_word_brings_what_the_browser_did_before(ada, tell, attach):
    tell("page", who="new", path="/before", ago=2 * DAY)
    tell("Form Submitted", who="new", email="ada@acme.example", ago=DAY)
    attach()
    assert Event.objects.get(path="/before").lead is None
    assert not VisitorLink.objects.get(visitor__anonymous_id="new").reaches_back
    tell("Signed In", who="new", user="cust-1", trusted=True)
    attach()
    assert Event.objects.get(path="/before").lead == ada
    assert VisitorLink.objects.get(visitor__anonymous_id="new").reaches_back
    tell("page", who="new", path="/late", ago=3 * DAY)
    attach()
    assert Event.objects.get(path="/late").lead == ada
    prove()


def test_what_comes_late_from_before_that_moment_is_nobodys(ada, tell, attach):
    tell("identify", who="new", user="cust-1", ago=HOUR)
    attach()
    tell("page", who="new", path="/late", ago=2 * HOUR)
    attach()
    assert Event.objects.get(path="/late").lead is None
    prove()


def test_a_profile_without_a_trusted_word_is_filled_in(tell, attach):
    tell("Form Submitted", who="v1", email="bo@acme.example")
    tell("identify", who="v2", email="bo@acme.example", title="Engineer", phone="123")
    attach()
    lead = Lead.objects.get()
    assert (lead.title, lead.phone, lead.is_email_verified) == ("Engineer", "123", False)


def test_a_trusted_identify_verifies_whom_a_browser_introduced(tell, attach):
    tell("Form Submitted", who="v1", email="bo@acme.example", ago=HOUR)
    attach()
    tell("identify", user="7", email="bo@acme.example", trusted=True)
    attach()
    assert Lead.objects.get().is_email_verified
