"""Real files, through the mappings shipped with the product, with exactly the known counts."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest

from leads.models import ExternalId, Lead, StageEpisode
from leads.stages import Stage
from tests.import_steps import bring
from tests.shared_data import real_file

pytestmark = pytest.mark.django_db

MARCH = datetime(2018, 3, 1, tzinfo=UTC)


@pytest.fixture
def first_contacts(mia) -> dict:
    return bring(real_file("olist_mql_to_2018-02.csv"), mia, "first.csv")


def test_first_contacts_become_mqls_on_their_day(first_contacts):
    assert first_contacts == {"created": 4171, "warned": 0, "notes": {}}
    assert Lead.objects.filter(stage=Stage.MQL).count() == 4171
    known = StageEpisode.objects.filter(is_date_unknown=False)
    assert set(known.values_list("stage", flat=True)) == {"mql"}
    assert known.count() == 4171
    assert not StageEpisode.objects.filter(stage="lead", is_pass_through=False).exists()


def test_an_unknown_origin_and_none_at_all_stay_two_groups(first_contacts):
    sources = Counter(Lead.objects.values_list("source", flat=True))
    assert (sources["unknown"], sources[""], sources["organic_search"]) == (593, 24, 1263)
    assert Lead.objects.filter(channel="paid_search").count() == 786


def test_closed_deals_make_customers_of_leads_that_are_known(first_contacts, mia):
    deals = real_file("olist_closed_to_2018-02.csv")
    tally = bring(deals, mia, "closed.csv")
    assert tally == {"updated": 189, "warned": 0, "notes": {}}
    assert Lead.objects.count() == 4171
    won = StageEpisode.objects.filter(stage=Stage.CUSTOMER, is_date_unknown=False)
    assert won.filter(entered_at__lt=MARCH).count() == 189
    one = Lead.objects.get(external_ids__value="5420aad7fec3549a85876ba1c529bd84")
    assert (one.custom["business_segment"], one.custom["behaviour_profile"]) == ("pet", "cat")
    assert one.custom["monthly_revenue"] == 0
    story = [(e.stage, f"{e.entered_at:%m-%d}", e.is_date_unknown) for e in one.episodes.all()]
    assert story == [
        ("lead", "02-20", True),
        ("qualified", "02-20", True),
        ("mql", "02-20", False),
        ("sal", "02-26", True),
        ("sql", "02-26", True),
        ("customer", "02-26", False),
    ]


def test_the_same_files_again_change_nothing(first_contacts, mia):
    bring(real_file("olist_closed_to_2018-02.csv"), mia)
    before = StageEpisode.objects.count(), ExternalId.objects.count()
    for name, rows in (("olist_mql_to_2018-02.csv", 4171), ("olist_closed_to_2018-02.csv", 189)):
        assert bring(real_file(name), mia) == {"unchanged": rows, "warned": 0, "notes": {}}
    assert before == (StageEpisode.objects.count(), ExternalId.objects.count())


def test_course_enquiries_keep_what_is_not_chosen_unset(mia):
    tally = bring(real_file("xedu_oldest60.csv"), mia, "enquiries.csv")
    assert tally["created"] == 5544
    assert Lead.objects.filter(stage=Stage.CUSTOMER).count() == 2090
    assert Lead.objects.filter(stage=Stage.LEAD).count() == 3454
    assert not StageEpisode.objects.filter(is_date_unknown=False).exists()
    leads = Lead.objects.all()
    assert leads.filter(custom__specialization="Select").count() == 0
    assert leads.filter(custom__has_key="specialization").count() == 5544 - 1101 - 834
    assert leads.filter(consents__is_granted=False).count() == 552
    assert leads.filter(country="IN").count() == 3821


def test_companies_are_found_again_by_name(mia):
    companies = real_file("accounts.csv")
    assert bring(companies, mia)["created"] == 85
    assert bring(companies, mia)["unchanged"] == 85
