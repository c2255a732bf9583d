"""Which leads are suggested as one person, and which are not."""

from __future__ import annotations

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leads import duplicates
from leads.actors import Actor
from leads.models import Duplicate, ExternalId, Lead
from tests.factories import AccountFactory, LeadFactory
from tests.leads.merging import merge, unmerge

pytestmark = pytest.mark.django_db


def lead(**fields) -> Lead:
    return LeadFactory(**({"first_name": "", "last_name": ""} | fields))


def found() -> list[tuple[set[str], list[str]]]:
    duplicates.search()
    rows = Duplicate.objects.waiting().select_related("first", "second").order_by("pk")
    return [({row.first.email, row.second.email}, row.reasons) for row in rows]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("kim.lee@gmail.com", "kimlee+news@gmail.com"),
        ("kimlee@googlemail.com", "Kim.Lee@gmail.com"),
        ("kim@acme.example", "kim+web@acme.example"),
    ],
)
def test_a_mailbox_is_known_however_it_is_spelled(one, other):
    lead(email=one)
    lead(email=other)
    assert [reasons for _pair, reasons in found()] == [["mailbox"]]


@pytest.mark.parametrize(
    ("one", "other"),
    [("kim.lee@acme.example", "kimlee@acme.example"), ("kim@gmail.com", "kim@acme.example")],
)
def test_other_mailboxes_are_not(one, other):
    lead(email=one)
    lead(email=other)
    assert found() == []


def test_phone_numbers_are_compared_by_their_digits():
    one, other = lead(phone="+49 (30) 123-4567"), lead(phone="0049 30 1234567")
    lead(phone="110"), lead(phone="1-1-0")
    assert found() == [({one.email, other.email}, ["phone"])]


def test_a_number_that_many_share_is_a_switchboard():
    for _ in range(21):
        lead(phone="+49 30 1234567")
    assert found() == []


def test_the_same_name_counts_at_the_same_company_only():
    named = {"first_name": "Kim", "last_name": "Lee"}
    acme = AccountFactory(name="Acme")
    one, other = lead(**named, company="ACME "), lead(**named, account=acme)
    lead(**named, company="Globex"), lead(**named), lead(first_name="Kim", company="Acme")
    assert found() == [({one.email, other.email}, ["name"])]


def test_the_same_person_in_another_system_is_noticed():
    one, other, third, fourth = (lead() for _ in range(4))
    for person, system, value in (
        (one, "segment", "u1"), (other, "segment_claimed", "u1"), (one, "hubspot", "51"),
        (third, "mautic", "51"), (third, "hubspot", "0035g00000AbCdEf"),
        (fourth, "salesforce", "0035g00000AbCdEf"),
    ):  # fmt: skip
        ExternalId.objects.create(lead=person, system=system, value=value)
    assert found() == [
        ({one.email, other.email}, ["external_id"]),
        ({third.email, fourth.email}, ["external_id"]),
    ]


def test_several_reasons_are_one_suggestion_in_words():
    named = {"first_name": "Kim", "last_name": "Lee", "company": "Acme"}
    lead(**named, phone="+49 30 1234567")
    lead(**named, phone="+49 30 1234567")
    found()
    sentence = "The same phone number, the same name at the same company."
    assert Duplicate.objects.get().sentence == sentence


def test_suggestions_go_when_their_reason_goes_and_two_people_stay_two(mia):
    one, other = lead(phone="+49 30 1234567"), lead(phone="+49 30 1234567")
    assert len(found()) == 1
    Lead.objects.filter(pk=one.pk).update(phone="")
    assert found() == []
    Lead.objects.filter(pk=one.pk).update(phone=other.phone)
    assert len(found()) == 1
    duplicates.dismiss(other.pk, one.pk, by=Actor.of(mia))
    assert found() == []
    assert duplicates.of_lead(one, mia) == []


def test_merged_leads_are_not_suggested_and_those_taken_apart_neither(mia):
    one, other = lead(phone="+49 30 1234567"), lead(phone="+49 30 1234567")
    assert len(found()) == 1
    row = merge(one, other, mia)
    assert not duplicates.visible(mia).exists()
    assert found() == []
    unmerge(row, mia)
    assert found() == []


def test_only_who_sees_both_sees_the_pair(mona, sam, sue, mia):
    lead(phone="+49 30 1234567", owner=sam), lead(phone="+49 30 1234567", owner=sue)
    found()
    assert duplicates.visible(mia).exists()
    assert not duplicates.visible(mona).exists()


def test_the_relay_searches_now_and_then(mia):
    lead(phone="+49 30 1234567"), lead(phone="+49 30 1234567")
    assert [duplicates.drain(1) for _ in range(2)] == [1, 0]
    assert Duplicate.objects.count() == 1


def test_many_leads_are_compared_quickly_and_the_page_is_one_short_walk(mia):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL DEFERRED; SET LOCAL session_replication_role = replica")
        cursor.execute(
            """
            INSERT INTO leads_lead (public_id, email, is_email_verified, first_name, last_name,
                title, phone, company, country, persona, channel, source, medium, campaign,
                custom, stage, stage_entered_at, cycle, episode_seq)
            SELECT gen_random_uuid(), 'p' || n || '@c' || n % 900 || '.example', false,
                   'Kim' || n % 3000, 'Lee' || n % 1111, '', '+49 30 ' || 1000000 + n % 18000,
                   'Company ' || n % 7000, '', '', 'unknown', '', '', '', '{}', 'lead', now(), 1, 1
              FROM generate_series(1, 20000) n
            """
        )
        cursor.execute("SET LOCAL session_replication_role = origin; ANALYZE leads_lead")
    began = time.perf_counter()
    duplicates.search()
    assert time.perf_counter() - began < 10  # half a second on an idle core
    assert Duplicate.objects.count() == 2_000
    with CaptureQueriesContext(connection) as queries:
        began = time.perf_counter()
        page = duplicates.read_page(mia, after=None, before=None)
        assert time.perf_counter() - began < 0.5
    assert len(page.rows) == 25 and page.after and len(queries) == 1
