"""Exports of HubSpot, Salesforce and Mautic are understood by their headers alone."""

from __future__ import annotations

import pytest

from leads import importing
from leads.models import Consent, ExternalId, Lead
from leads.stages import Stage
from tests.import_steps import bring, upload

pytestmark = pytest.mark.django_db

HUBSPOT_LABELS = (
    "Record ID,First Name,Last Name,Email,Phone Number,Job Title,Company Name,Country/Region,"
    "Original Source,Lifecycle Stage,Became a Marketing Qualified Lead Date,"
    "Unsubscribed from all email\n"
)
HUBSPOT_NAMES = (
    "hs_object_id,firstname,lastname,email,phone,jobtitle,company,country,hs_analytics_source,"
    "lifecyclestage,hs_lifecyclestage_marketingqualifiedlead_date,hs_email_optout\n"
)
HUBSPOT_ROW = (
    "51,Kim,Lee,kim@acme.example,1,CTO,Acme,Germany,{source},{stage},2024-03-05 10:30,true\n"
)
SALESFORCE_LABELS = (
    '"Lead ID","First Name","Last Name","Title","Company / Account","Email","Lead Source",'
    '"Lead Status","Create Date","Email Opt Out"\n'
)
SALESFORCE_NAMES = (
    '"Id","FirstName","LastName","Title","Company","Email","LeadSource","Status","CreatedDate",'
    '"HasOptedOutOfEmail","OwnerId"\n'
)
MAUTIC = "id,points,date_added,title,firstname,lastname,company,position,email,mobile,country\n"


@pytest.mark.parametrize(
    ("header", "source", "stage"),
    [
        (HUBSPOT_LABELS, "Organic Search", "Marketing Qualified Lead"),
        (HUBSPOT_NAMES, "ORGANIC_SEARCH", "marketingqualifiedlead"),
    ],
    ids=["labels", "internal names"],
)
def test_hubspot(mia, header, source, stage):
    tally = bring(header + HUBSPOT_ROW.format(source=source, stage=stage), mia)
    assert tally == {"created": 1, "warned": 0, "notes": {}}
    lead = Lead.objects.get()
    assert (lead.name, lead.title, lead.company) == ("Kim Lee", "CTO", "Acme")
    assert (lead.country, lead.channel, lead.stage) == ("DE", "organic_search", Stage.MQL)
    mql = lead.episodes.get(stage=Stage.MQL)
    assert (f"{mql.entered_at:%Y-%m-%d %H:%M}", mql.is_date_unknown) == ("2024-03-05 09:30", False)
    assert ExternalId.objects.values_list("system", "value").get() == ("hubspot", "51")
    assert Consent.objects.get().is_granted is False


@pytest.mark.parametrize(
    ("header", "more"),
    [(SALESFORCE_LABELS, ""), (SALESFORCE_NAMES, ',"005"')],
    ids=["labels", "API names"],
)
def test_salesforce(mia, header, more):
    row = (
        '"00Q1","Kim","Lee","CTO","Acme","kim@acme.example","Web","Working - Contacted",'
        f'"3/25/2024 3:45 PM","0"{more}\n'
    )
    footer = '\n"Copyright (c) 2000-2026 a vendor, inc. All rights reserved."\n'
    job = upload(header + row + footer, mia)
    assert (job.row_count, job.footer_count) == (1, 1)
    bring(header + row + footer, mia)
    lead = Lead.objects.get()
    assert (lead.company, lead.source, lead.stage) == ("Acme", "Web", Stage.SAL)
    first = lead.episodes.first()
    assert f"{first.entered_at:%Y-%m-%d %H:%M}" == "2024-03-25 14:45"
    assert ExternalId.objects.get().system == "salesforce"
    assert not Consent.objects.exists()


def test_mautic(mia):
    bring(MAUTIC + "7,20,2024-03-25 10:00:00,Mr,Kim,Lee,Acme,CTO,kim@acme.example,1,Germany\n", mia)
    lead = Lead.objects.get()
    assert (lead.name, lead.phone, lead.country) == ("Kim Lee", "1", "DE")
    assert lead.title == "CTO"
    assert ExternalId.objects.get().system == "mautic"


def test_a_header_that_nobody_knows_maps_nothing_and_says_so(mia):
    job = upload("foo,bar\n1,2\n", mia)
    assert importing.mapping_of(job).uses == ()
    assert importing.what_is_missing(job) == ["No column is mapped yet."]


def test_words_that_mean_unset_are_found_in_the_file(mia):
    job = upload("email,first name,last name\na@b.example,Select,[not provided]\n", mia)
    assert set(importing.mapping_of(job).unset) == {"Select", "[not provided]"}
    bring("email,first name,last name\na@b.example,Select,[not provided]\n", mia)
    assert Lead.objects.get().first_name == ""
