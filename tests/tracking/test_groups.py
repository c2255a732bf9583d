"""Which account somebody belongs to: by the domain of the address, or what a sender says."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from leads.capture import capture_lead
from leads.domains import corporate_domain
from leads.models import Account, AuditEntry, Lead
from tests.leads.people import SYSTEM
from tracking import groups
from tracking.models import Group, GroupMember, Source

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


def person(tell, user: str, email: str, **more) -> None:
    tell("identify", user=user, email=email, trusted=True, ago=9 * HOUR, **more)


def account_of(email: str) -> str:
    lead = Lead.objects.select_related("account").get(email=email)
    return lead.account.name if lead.account else ""


def test_an_id_is_enough_once_a_call_has_named_the_company(tell, attach):
    for number in (1, 2, 3):
        person(tell, f"u{number}", f"p{number}@web.de")
    tell("group", user="u1", group_id="g7", trusted=True, ago=5 * HOUR)
    attach()
    group = Group.objects.get()
    assert (group.group_id, group.account, group.members.count()) == ("g7", None, 1)
    tell("group", user="u2", group_id="g7", name="Acme", trusted=True, ago=4 * HOUR)
    attach()
    assert [account_of(f"p{n}@web.de") for n in (1, 2, 3)] == ["Acme", "Acme", ""]
    assert Lead.objects.get(email="p1@web.de").company == "Acme"
    tell("group", user="u3", group_id="g7", industry="Mining", trusted=True, ago=3 * HOUR)
    attach()
    assert account_of("p3@web.de") == "Acme"
    assert Account.objects.get().industry == "Mining"


def test_the_same_id_with_another_spelling_is_the_same_company(tell, attach):
    person(tell, "u1", "p1@web.de")
    tell("group", user="u1", group_id="g7", name="Acme", trusted=True, ago=5 * HOUR)
    tell("group", user="u1", group_id="g7", name="Acme Inc.", trusted=True, ago=4 * HOUR)
    attach()
    assert Account.objects.get().name == "Acme"
    tell("group", user="u1", group_id="g7", domain="globex.de", name="Globex", trusted=True)
    attach()
    assert account_of("p1@web.de") == "Globex"  # a domain says more than an id
    assert Group.objects.get().account.domain == "globex.de"


def test_ids_of_one_source_say_nothing_in_another(tell, attach, crm):
    person(tell, "u1", "p1@web.de")
    tell("group", user="u1", group_id="g7", name="Acme", trusted=True, ago=5 * HOUR)
    attach()
    other = Group.objects.create(source=Source.objects.create(name="Other"), group_id="g7")
    assert other.account is None
    assert Group.objects.get(source=crm).account.name == "Acme"


def test_who_only_has_a_public_key_gets_into_no_company_by_an_id(tell, attach):
    person(tell, "u1", "p1@web.de")
    tell("group", user="u1", group_id="g7", name="Acme", trusted=True, ago=5 * HOUR)
    tell("identify", who="v1", email="eve@web.de", ago=4 * HOUR)
    tell("group", who="v1", group_id="g7", ago=3 * HOUR)
    tell("group", who="v1", group_id="g8", name="Acme", ago=2 * HOUR)
    attach()
    assert account_of("eve@web.de") == ""
    assert Group.objects.get().group_id == "g7"
    assert GroupMember.objects.count() == 1


def test_learning_moves_nobody_whom_somebody_placed_elsewhere(tell, attach):
    person(tell, "u1", "kim@acme.de")  # the account of the address
    person(tell, "u2", "lee@web.de")
    person(tell, "u3", "max@web.de")
    for user in ("u1", "u2"):
        tell("group", user=user, group_id="g7", trusted=True, ago=6 * HOUR)
    attach()
    lee = Lead.objects.get(email="lee@web.de")
    lee.account = Account.objects.create(name="Chosen by hand")
    lee.save(update_fields=["account"])
    tell("group", user="u3", group_id="g7", name="Globex", trusted=True, ago=4 * HOUR)
    attach()
    assert account_of("kim@acme.de") == "Globex"
    assert account_of("lee@web.de") == "Chosen by hand"


def test_of_several_groups_the_latest_counts(tell, attach):
    person(tell, "u1", "p1@web.de")
    person(tell, "u2", "p2@web.de")
    tell("group", user="u1", group_id="old", trusted=True, ago=6 * HOUR)
    tell("group", user="u1", group_id="new", trusted=True, ago=5 * HOUR)
    attach()
    tell("group", user="u2", group_id="old", name="Old", trusted=True, ago=4 * HOUR)
    attach()
    assert account_of("p1@web.de") == ""
    tell("group", user="u2", group_id="new", name="New", trusted=True, ago=3 * HOUR)
    attach()
    assert account_of("p1@web.de") == "New"


def test_an_admin_chooses_and_no_call_changes_that(tell, attach, ana, client):
    person(tell, "u1", "p1@web.de")
    tell("group", user="u1", group_id="g7", name="Acme", trusted=True, ago=6 * HOUR)
    attach()
    globex = Account.objects.create(name="Globex", domain="globex.de")
    client.force_login(ana)
    group = Group.objects.get()
    assert client.get(reverse("admin:tracking_group_changelist")).status_code == 200
    url = reverse("admin:tracking_group_change", args=[group.pk])
    assert client.get(url).status_code == 200
    answer = client.post(url, {"account": globex.pk}, follow=True)
    assert "1 person joined the account." in answer.text
    assert account_of("p1@web.de") == "Globex"
    assert AuditEntry.objects.filter(object_kind="group").count() == 1
    tell("group", user="u1", group_id="g7", domain="acme.de", name="Acme", trusted=True)
    attach()
    group.refresh_from_db()
    assert (group.account, group.is_chosen) == (globex, True)
    assert account_of("p1@web.de") == "Globex"
    assert groups.choose(group.pk, None, by=SYSTEM) == 0
    group.refresh_from_db()
    assert (group.account, group.is_chosen) == (None, False)


@pytest.mark.parametrize("named", ["", "null", "undefined", 7, None, ["g"], "x" * 900])
def test_odd_ids_do_no_harm(named, tell, attach):
    person(tell, "u1", "p1@web.de")
    tell("group", user="u1", group_id=named, trusted=True, ago=HOUR)
    attach()
    assert Lead.objects.get().account is None
