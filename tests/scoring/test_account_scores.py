"""The score of an account: one arithmetic in Python and in SQL, lines that add up, seen by whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from leads import account_queries, buying_roles, lifecycle, merging
from leads.models import Account, AccountStanding, Lead, StaleAccount, Standing
from scoring import account_scores, account_verifying
from scoring.account_rules import MOST_PEOPLE, Person, account_score
from tests.scoring.stories import SYSTEM, settle, some_lead, tell_events
from tracking.signals import event_recorded

AS_OF = datetime(2026, 6, 1, tzinfo=UTC)
points = st.integers(-5000, 15000).map(lambda cents: Decimal(cents).scaleb(-2))
people = st.lists(
    st.builds(
        Person,
        lead_id=st.integers(1, 10**9),
        score=points,
        interest=points,
        roles=st.frozensets(st.sampled_from("abcdefg")),
        last_activity_at=st.none()
        | st.datetimes(datetime(2020, 1, 1), datetime(2026, 6, 2)).map(
            lambda at: at.replace(tzinfo=UTC)
        ),
    ),
    max_size=8,
)


@given(people, st.randoms())
def test_the_order_of_people_is_nothing(some, random):
    shuffled = random.sample(some, len(some))
    assert account_score(some, AS_OF) == account_score(shuffled, AS_OF)


@given(people, people)
def test_another_person_never_lowers_it(some, more):
    before, after = account_score(some, AS_OF), account_score([*some, *more], AS_OF)
    assert before is None or (after is not None and after.score >= before.score)


@given(people)
def test_it_is_the_best_and_at_most_fifty_more(some):
    score = account_score(some, AS_OF)
    if not some:
        assert score is None  # nobody known is not "0"
        return
    assert score is not None
    assert score.best == max(person.score for person in some)
    assert 0 <= score.score - score.best <= 50
    assert score.score == score.best + score.people + score.roles + score.recency


@given(people, st.integers(0, 400))
def test_time_only_ever_takes_recency(some, days):
    before = account_score(some, AS_OF + timedelta(days=2))
    after = account_score(some, AS_OF + timedelta(days=2 + days))
    if before and after:
        assert after.recency <= before.recency
        assert (after.best, after.people, after.roles) == (before.best, before.people, before.roles)


def test_a_worked_example():
    at = AS_OF - timedelta(days=30)
    some = [
        Person(1, Decimal(74), Decimal(24), frozenset({"champion"}), at),
        Person(2, Decimal(40), Decimal(5), frozenset({"user", "champion"})),
        Person(3, Decimal(30), Decimal("4.99"), frozenset({"decision_maker"})),
    ]
    score = account_score(some, AS_OF)
    assert score is not None
    assert (score.best, score.people, score.roles) == (74, 5, 6)
    assert score.recency == Decimal("7.50") and score.score == Decimal("92.50")
    crowd = [Person(n, Decimal(1), Decimal(9)) for n in range(50)]
    assert account_score(crowd, AS_OF).people == 5 * MOST_PEOPLE


@pytest.fixture
def acme(db) -> Account:
    return Account.objects.create(name="Acme", domain="acme.example")


def work() -> None:
    settle()
    while account_scores.drain():
        pass


def member(account: Account, *stories: str) -> Lead:
    lead = some_lead(title="CEO")
    Lead.objects.filter(pk=lead.pk).update(account=account)
    tell_events(lead, *stories)
    event_recorded.send(sender=None, lead_ids=[lead.pk], event_ids=[])
    return lead


def standing(account: Account) -> AccountStanding:
    return AccountStanding.objects.get(account=account)


def test_it_follows_what_people_do(acme):
    assert standing(acme).score is None  # unknown, not 0
    first = member(acme, "pricing_page_viewed 1d ago", "demo_requested 1d ago")
    work()
    alone = standing(acme)
    best = Standing.objects.get(lead=first)
    assert alone.best == best.score and alone.best_lead_id == first.pk
    assert alone.score == alone.best + alone.people + alone.roles + alone.recency
    second = member(acme, "pricing_page_viewed 1d ago")
    buying_roles.add_role(second.pk, "champion", by=SYSTEM)
    work()
    both = standing(acme)
    assert (both.engaged_count, both.people, both.roles) == (2, 5, 3)
    assert account_verifying.verify(None) == []


def test_who_leaves_takes_their_part_along(acme):
    lead = member(acme, "demo_requested 1d ago")
    work()
    assert standing(acme).person_count == 1
    other = Account.objects.create(name="Other")
    Lead.objects.filter(pk=lead.pk).update(account=other)  # however it is done
    work()
    assert standing(acme).score is None and standing(other).person_count == 1
    Lead.objects.filter(pk=lead.pk).update(account=None)
    work()
    assert standing(other).score is None
    assert account_verifying.verify(None) == []


def test_merged_people_count_once(acme):
    one, two = member(acme, "demo_requested 1d ago"), member(acme, "demo_requested 1d ago")
    work()
    assert standing(acme).person_count == 2
    merging.merge(one.pk, two.pk, by=SYSTEM, reason="same")
    work()
    assert standing(acme).person_count == 1
    assert account_verifying.verify(None) == []


def test_an_account_waits_until_its_people_are_folded(acme):
    member(acme, "demo_requested 1d ago")
    assert StaleAccount.objects.exists()
    assert account_scores.drain() == 0
    settle()
    assert account_scores.drain() > 0 and not StaleAccount.objects.exists()


def test_by_the_clock_all_accounts_at_once(acme, django_assert_max_num_queries):
    for _n in range(5):
        member(Account.objects.create(name="Some"), "demo_requested 20d ago")
    settle()
    with django_assert_max_num_queries(10):
        assert account_scores.refresh() >= 5
    assert account_scores.refresh() == 0  # nothing moved by a cent within this moment
    assert account_verifying.verify(None) == []


def test_the_proof_finds_what_is_wrong(acme):
    member(acme, "demo_requested 1d ago")
    work()
    AccountStanding.objects.filter(account=acme).update(score=Decimal(99))
    found = account_verifying.verify(None)
    assert len(found) == 2 and all(one.account_id == acme.pk for one in found)


def test_lines_add_up_and_name_only_whom_one_may_see(acme, mia, sam, sue):
    lead = member(acme, "demo_requested 1d ago", "pricing_page_viewed 2d ago")
    colleague = member(acme, "page_viewed 1d ago")
    Lead.objects.filter(pk=lead.pk).update(owner=sue)
    Lead.objects.filter(pk=colleague.pk).update(owner=sam)
    work()
    for person, sees in ((mia, True), (sue, True), (sam, False)):
        lines = account_queries.score_of(acme, person)
        assert sum(line.value for line in lines) == standing(acme).score
        assert (lines[0].lead == lead) is sees


def test_the_page_and_the_list(client, mia, sam, acme):
    client.force_login(mia)
    url = reverse("accounts:account", args=[acme.pk])
    assert "Nobody here has been scored yet" in client.get(url).content.decode()
    member(acme, "demo_requested 1d ago")
    quiet = Account.objects.create(name="Aardvark")
    work()
    page = client.get(url).content.decode()
    assert "The best score of a person" in page and f"{standing(acme).score:.2f}" in page
    names = [row.name for row in client.get("/accounts/?sort=score").context["page"].rows]
    assert names == ["Acme", "Aardvark"]
    names = [row.name for row in client.get("/accounts/").context["page"].rows]
    assert names == ["Aardvark", "Acme"]
    assert client.get("/accounts/?sort=password").status_code == 200
    after = client.get(f"/accounts/?sort=score&after={acme.pk}").context["page"].rows
    assert [row.name for row in after] == ["Aardvark"]
    client.force_login(sam)
    assert client.get(url).status_code == 404
    assert quiet.name not in client.get("/accounts/?sort=score").content.decode()


def test_a_disqualified_person_counts_no_more_until_reopened(acme):
    lead = member(acme, "demo_requested 1d ago")
    buying_roles.add_role(lead.pk, "champion", by=SYSTEM)
    work()
    assert standing(acme).role_count == 1
    lifecycle.disqualify(lead.pk, by=SYSTEM, reason="a student")
    work()
    assert standing(acme).score is None and standing(acme).role_count == 0
    assert account_verifying.verify(None) == []
    lifecycle.reopen(lead.pk, by=SYSTEM, reason="not a student")
    work()
    assert standing(acme).person_count == 1
    assert account_verifying.verify(None) == []


def test_an_account_without_a_score_says_the_true_reason(client, mia, acme):
    client.force_login(mia)

    def says(sentence: str) -> bool:
        return sentence in client.get(reverse("accounts:account", args=[acme.pk])).content.decode()

    assert says("Nobody here has been scored yet")
    lead, other = member(acme, "demo_requested 1d ago"), member(acme)
    AccountStanding.objects.filter(account=acme).delete()
    Standing.objects.filter(lead__account=acme).update(scored_at=None)
    assert says("Nobody here has been scored yet")
    lifecycle.disqualify(other.pk, by=SYSTEM, reason="a student")
    assert says("Nobody here has been scored yet")
    work()
    AccountStanding.objects.filter(account=acme).delete()
    assert says("The score is being counted")
    lifecycle.disqualify(lead.pk, by=SYSTEM, reason="a student")
    work()
    assert standing(acme).score is None and Standing.objects.get(lead=lead).score > 0
    assert says("Nobody here counts for the score: all people of this account were disqualified.")
