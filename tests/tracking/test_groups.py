"""Which account somebody belongs to: by the domain of the address, or what a sender says."""

from __future__ import annotations

from datetime import timedelta

import pytest

from leads.capture import capture_lead
from leads.domains import corporate_domain
from leads.models import Account, Lead
from tests.leads.people import SYSTEM

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("kim@mail.acme.co.uk", "acme.co.uk"),
        ("https://www.acme.de/about?x=1", "acme.de"),
        ("ACME.DE.", "acme.de"),
        ("shop.acme.de:8443", "acme.de"),
        ("kim@gmail.com", ""),
        ("kim@mailinator.com", ""),
        ("kim@co.uk", ""),
        ("kim@acme.example", ""),
        ("kim@example.com", ""),
        ("localhost", ""),
        ("", ""),
        ("한국.kr", "한국.kr"),
    ],
)
def test_only_a_registered_domain_names_a_company(text, domain):
    assert corporate_domain(text) == domain


def captured(email: str, *, is_verified: bool = True, **profile) -> Lead:
    return capture_lead(by=SYSTEM, email=email, profile=profile, is_verified=is_verified)[0]


@pytest.mark.django_db
def test_colleagues_meet_in_the_account_of_their_domain():
    kim = captured("kim@mail.acme.de", company="Acme")
    lee = captured("lee@acme.de", company="ACME GmbH", is_verified=False)
    assert kim.account == lee.account
    assert (kim.account.name, kim.account.domain) == ("Acme", "acme.de")
    assert captured("private@gmail.com", company="Acme").account is None


@pytest.mark.django_db
def test_a_known_company_gets_its_domain_only_from_who_is_believed():
    acme = Account.objects.create(name="Acme")
    assert captured("eve@evil.de", company="Acme", is_verified=False).account != acme
    assert captured("kim@acme.de", company="acme").account == acme
    acme.refresh_from_db()
    assert acme.domain == "acme.de"


def test_a_trusted_group_call_finds_or_makes_the_account_and_describes_it(tell, attach):
    tell("identify", user="u1", email="kim@web.de", trusted=True, ago=3 * HOUR)
    tell("group", user="u1", group_id="acme.de", name="Acme", industry="Automotive",
         employees="1,200", country="Germany", trusted=True, ago=2 * HOUR)  # fmt: skip
    attach()
    lead = Lead.objects.get()
    account = lead.account
    assert (account.name, account.domain, account.industry) == ("Acme", "acme.de", "Automotive")
    assert (account.employee_count, account.country, lead.company) == (1200, "DE", "Acme")
    tell("group", user="u1", group_id="g7", website="https://acme.de", employees=900, trusted=True)
    attach()
    account.refresh_from_db()
    assert (account.employee_count, Account.objects.count()) == (900, 1)


def test_a_browser_only_fills_in_what_is_empty(tell, attach):
    tell("identify", who="v1", email="kim@acme.de", ago=3 * HOUR)
    tell("group", who="v1", group_id="globex.de", name="Globex", industry="Mining",
         employees=5, ago=2 * HOUR)  # fmt: skip
    tell("group", who="v1", group_id="evil", industry="Casino", name="Evil", ago=HOUR)
    attach()
    lead = Lead.objects.get()
    assert (lead.company, lead.account.domain, lead.account.name) == (
        "Globex",
        "acme.de",
        "acme.de",
    )
    assert (lead.account.industry, lead.account.employee_count) == ("Mining", 5)
    assert Account.objects.count() == 1


@pytest.mark.parametrize(
    "traits",
    [
        {"employees": "50-200"},
        {"employees": -1},
        {"employees": 10**30},
        {"employees": True, "name": 7, "industry": ["x"], "country": {"a": 1}},
        {"name": "", "website": "not a site", "address": "street"},
    ],
)
def test_odd_traits_say_nothing(traits, tell, attach):
    tell("identify", user="u1", email="kim@web.de", trusted=True, ago=HOUR)
    tell("group", user="u1", group_id="g1", trusted=True, **traits)
    attach()
    assert not Account.objects.exists()
    assert Lead.objects.get().company == ""
