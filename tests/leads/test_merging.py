"""Two leads are one person: what the survivor gets, and what stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils.timezone import now

from leads import lifecycle, merging
from leads.actors import Actor
from leads.capture import capture_lead, record_consent
from leads.merging_rules import fingerprint
from leads.models import AuditEntry, BuyingRole, Lead, StageEpisode
from leads.refusals import Conflict, Refused
from leads.stages import Stage
from leads.survivors import survivor_of
from tests.factories import AccountFactory, LeadFactory, tell_events
from tests.leads.merging import merge, prove, refresh, unmerge
from tests.leads.people import SYSTEM, make_lead
from tracking.models import Event

DAY = timedelta(days=1)


@pytest.fixture
def ada(db) -> Lead:
    """The lead that is kept."""
    return LeadFactory(email="ada@acme.example", first_name="Ada", last_name="", company="Acme")


@pytest.fixture
def twin(db) -> Lead:
    """The same person under another address."""
    return LeadFactory(
        email="ada.l@web.example", first_name="Adah", last_name="Lovelace", phone="+49 30 1234567"
    )


def test_what_the_survivor_lacks_it_takes_over_and_keeps_the_rest(ada, twin, mia):
    merge(ada, twin, mia)
    assert (ada.first_name, ada.last_name, ada.phone) == ("Ada", "Lovelace", "+49 30 1234567")
    assert (ada.email, ada.company) == ("ada@acme.example", "Acme")
    assert (twin.stage, twin.merged_into) == (Stage.MERGED, ada)
    assert (twin.first_name, twin.email) == ("Adah", "ada.l@web.example")
    prove()


def test_each_field_can_be_chosen(ada, twin, mia, sam):
    account = AccountFactory(name="Acme")
    Lead.objects.filter(pk=twin.pk).update(
        account=account, company="Acme Inc", owner=sam, team=sam.team, channel="event",
        source="fair", custom={"size": 5, "shoe": 44}, is_email_verified=True,
    )  # fmt: skip
    Lead.objects.filter(pk=ada.pk).update(custom={"size": 3})
    keys = ("first_name", "email", "company", "owner", "origin", "custom.size")
    row = merge(ada, twin, mia, choices=dict.fromkeys(keys, "loser"))
    assert (ada.first_name, ada.email, ada.is_email_verified) == ("Adah", twin.email, True)
    assert (ada.company, ada.account, ada.owner) == ("Acme Inc", account, sam)
    assert (ada.channel, ada.source, ada.custom) == ("event", "fair", {"size": 5, "shoe": 44})
    assert row.choices["first_name"] == "loser" and row.choices["phone"] == "loser"
    prove()
    unmerge(row, mia)
    refresh(ada, twin)
    assert (ada.first_name, ada.email, ada.is_email_verified) == ("Ada", "ada@acme.example", False)
    assert (ada.company, ada.account, ada.owner, ada.custom) == ("Acme", None, None, {"size": 3})
    assert (twin.email, twin.stage, twin.merged_into) == ("ada.l@web.example", Stage.LEAD, None)
    prove()


def test_what_was_corrected_since_is_not_taken_back(ada, twin, mia):
    row = merge(ada, twin, mia)
    Lead.objects.filter(pk=ada.pk).update(phone="110")
    unmerge(row, mia)
    refresh(ada)
    assert (ada.phone, ada.last_name) == ("110", "")


def test_merges_may_be_taken_apart_in_any_order(ada, twin, mia):
    third = LeadFactory(first_name="Ada", last_name="Byron", phone="+49 40 7654321")
    first = merge(ada, twin, mia)
    second = merge(ada, third, mia, choices={"phone": "loser"})
    assert ada.phone == third.phone
    unmerge(first, mia)
    unmerge(second, mia)
    refresh(ada)
    assert (ada.last_name, ada.phone) == ("", "")


def test_the_score_is_counted_anew_and_not_added_up(ada, twin, mia):
    tell_events(ada, "pricing_page_viewed 2d ago /pricing", "form_submitted 1d ago")
    tell_events(twin, "pricing_page_viewed 2d ago /pricing", "file_downloaded 3d ago")
    refresh(ada, twin)
    before = ada.standing.interest, twin.standing.interest
    events = set(Event.objects.values_list("pk", flat=True))
    row = merge(ada, twin, mia)
    together = Lead.objects.get(pk=ada.pk).standing
    assert together.interest < sum(before)  # once per day or so
    assert set(Event.objects.filter(lead=ada).values_list("pk", flat=True)) == events
    assert len(row.events.event_ids) == 2
    assert Lead.objects.get(pk=twin.pk).standing.interest == 0
    prove()
    unmerge(row, mia)
    apart = [Lead.objects.get(pk=lead.pk).standing.interest for lead in (ada, twin)]
    assert [round(points, 1) for points in apart] == [round(points, 1) for points in before]
    assert Event.objects.filter(lead=twin).count() == 2
    prove()


def test_last_activity_goes_along_and_comes_back(ada, twin, mia):
    [old] = tell_events(ada, "page_viewed 5d ago /")
    [new] = tell_events(twin, "page_viewed 1d ago /")
    row = merge(ada, twin, mia)
    assert Lead.objects.get(pk=ada.pk).last_activity.at == new.occurred_at
    unmerge(row, mia)
    assert Lead.objects.get(pk=ada.pk).last_activity.at == old.occurred_at
    assert Lead.objects.get(pk=twin.pk).last_activity.at == new.occurred_at


def test_the_newer_answer_counts_and_the_former_comes_back(ada, twin, mia):
    def answer(lead, is_granted, days, cause):
        record_consent(lead, purpose="mail", is_granted=is_granted, at=now() - days * DAY,
                       evidence="form", cause=cause)  # fmt: skip

    answer(ada, True, 9, "a")
    answer(twin, False, 3, "b")
    row = merge(ada, twin, mia)
    assert [(c.is_granted, c.cause) for c in ada.consents.all()] == [
        (False, row.cause),
        (True, "a"),
    ]
    unmerge(row, mia)
    newest = ada.consents.first()
    assert (newest.is_granted, newest.cause) == (True, f"unmerge {row.pk}")
    assert [c.cause for c in twin.consents.all()] == ["b"]


def test_whoever_never_answered_withdraws_when_a_merge_is_taken_apart(ada, twin, mia):
    record_consent(
        twin, purpose="mail", is_granted=True, at=now() - DAY, evidence="form", cause="b"
    )
    row = merge(ada, twin, mia)
    refresh(ada)
    assert ada.stage == Stage.QUALIFIED  # address and consent are both there now
    unmerge(row, mia)
    assert [c.is_granted for c in ada.consents.all()] == [False, True]
    prove()


def test_buying_roles_are_united_and_taken_back(ada, twin, mia):
    BuyingRole.objects.create(lead=ada, kind="user")
    BuyingRole.objects.create(lead=twin, kind="user")
    BuyingRole.objects.create(lead=twin, kind="champion")
    row = merge(ada, twin, mia)
    assert set(ada.buying_roles.values_list("kind", flat=True)) == {"user", "champion"}
    unmerge(row, mia)
    assert set(ada.buying_roles.values_list("kind", flat=True)) == {"user"}


def test_both_histories_say_what_happened(ada, twin, mia):
    row = merge(ada, twin, mia)
    unmerge(row, mia)
    for lead, verbs in (
        (ada, ["merged", "told_apart", "unmerged"]),
        (twin, ["merged_away", "told_apart", "restored"]),
    ):
        entries = AuditEntry.objects.filter(object_id=lead.pk, object_kind="lead").order_by("pk")
        assert [entry.verb for entry in entries] == verbs
        assert all(entry.actor == mia and entry.reason for entry in entries)
    kinds = list(twin.episodes.values_list("stage", "entry_kind", "cycle"))
    assert kinds[-2:] == [("merged", "merged", 1), ("lead", "restored", 1)]


def test_an_mql_that_is_merged_away_leaves_the_inbox_and_comes_back(mia, sam, ana):
    ada, twin = (make_lead(stage="qualified") for _ in range(2))
    for lead in (ada, twin):
        lifecycle.advance(lead.pk, "mql", by=Actor.of(ana), override=True, reason="fair")
    row = merge(ada, twin, mia, reason="the same badge")
    handoff = twin.handoffs.get()
    assert (handoff.state, handoff.note) == ("withdrawn", "the same badge")
    prove()
    unmerge(row, mia)
    assert sorted(twin.handoffs.values_list("state", flat=True)) == ["submitted", "withdrawn"]
    assert Lead.objects.get(pk=twin.pk).stage == Stage.MQL
    prove()


def test_a_lead_that_was_merged_and_restored_goes_on(ada, mia):
    twin = make_lead(stage="qualified")
    lifecycle.advance(ada.pk, "qualified", by=Actor.of(mia), override=True, reason="met")
    unmerge(merge(ada, twin, mia), mia)
    unmerge(merge(ada, twin, mia), mia)
    lifecycle.advance(twin.pk, "mql", by=Actor.of(mia), override=True, reason="fair")
    lifecycle.recycle(twin.pk, by=SYSTEM, reason="later")
    assert list(twin.episodes.values_list("stage", flat=True)) == [
        *("lead", "qualified", "merged", "qualified", "merged", "qualified", "mql", "qualified"),
    ]
    prove()


def test_whoever_looks_for_the_merged_lead_finds_the_survivor(ada, twin, mia):
    third = LeadFactory()
    merge(twin, third, mia)
    merge(ada, twin, mia)
    assert [survivor_of(lead.pk) for lead in (ada, twin, third)] == [ada.pk] * 3
    for email in (twin.email, third.email.upper()):
        assert capture_lead(by=SYSTEM, email=email) == (ada, False)
    assert not Lead.objects.filter(stage=Stage.LEAD).exclude(pk=ada.pk).exists()


REFUSED = {
    "itself": "cannot be merged into itself",
    "merged loser": "was merged into Ada",
    "merged survivor": "was merged into Ada",
    "customer": "is a customer",
    "further": "is further in the funnel (Qualified lead): keep",
    "reason": "Say how you know",
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_merged_is_refused_with_a_sentence(case, ada, twin, mia):
    survivor, loser, reason = ada, twin, "same"
    if case == "itself":
        loser = ada
    elif case == "merged loser":
        merge(ada, twin, mia)
    elif case == "merged survivor":
        merge(ada, twin, mia)
        survivor, loser = twin, LeadFactory()
    elif case == "customer":
        survivor, loser = (make_lead(stage="customer") for _ in range(2))
    elif case == "further":
        loser = make_lead(stage="qualified")
    elif case == "reason":
        reason = " "
    with pytest.raises(Refused, match=REFUSED[case].replace("(", r"\(").replace(")", r"\)")):
        merge(survivor, loser, mia, reason=reason)


def test_an_open_deal_is_not_merged_away(mia):
    ada, twin = (make_lead(stage="sql") for _ in range(2))
    with pytest.raises(Refused, match="has the open opportunity"):
        merge(ada, twin, mia)


def test_only_operators_merge_and_a_manager_only_in_the_team(ada, twin, sam, sue, mona, viv, ana):
    for person in (sam, viv, mona):
        with pytest.raises(Refused, match="Marketers and admins merge leads"):
            merge(ada, twin, person)
    for lead, owner in ((ada, sam), (twin, sue)):
        Lead.objects.filter(pk=lead.pk).update(owner=owner, team=owner.team)
    with pytest.raises(Refused, match="of their own team"):
        merge(ada, twin, mona)
    Lead.objects.filter(pk=twin.pk).update(owner=sam, team=sam.team)
    row = merge(ada, twin, mona)
    with pytest.raises(Refused, match="Marketers and admins merge leads"):
        unmerge(row, sam)
    unmerge(row, ana)


def test_two_verified_people_are_one_only_when_a_person_says_so(ada, twin, mia):
    Lead.objects.update(is_email_verified=True)
    with pytest.raises(Refused, match="Only a person may say"):
        merging.merge(ada.pk, twin.pk, by=SYSTEM, reason="guess")
    merge(ada, twin, mia)


def test_who_saw_something_else_is_told_so(ada, twin, mia):
    seen = fingerprint(ada, twin)
    Lead.objects.filter(pk=twin.pk).update(title="CTO")
    with pytest.raises(Conflict, match="Somebody was faster"):
        merge(ada, twin, mia, seen=seen)
    refresh(twin)
    row = merge(ada, twin, mia, seen=fingerprint(ada, twin))
    unmerge(row, mia)
    with pytest.raises(Conflict, match="taken apart already"):
        unmerge(row, mia)


def test_a_merge_below_another_one_stays_until_that_is_taken_apart(ada, twin, mia):
    third = LeadFactory()
    below = merge(twin, third, mia)
    above = merge(ada, twin, mia)
    with pytest.raises(Refused, match="Take that merge apart first"):
        unmerge(below, mia)
    unmerge(above, mia)
    unmerge(below, mia)
    prove()


def test_an_address_that_somebody_else_has_now_stands_in_the_way(ada, twin, mia):
    row = merge(ada, twin, mia)
    Lead.objects.filter(pk=ada.pk).update(email=twin.email)
    with pytest.raises(Refused, match="has the e-mail address"):
        unmerge(row, mia)


def test_the_database_itself_refuses_half_a_merge(ada, twin, mia):
    third = LeadFactory()
    merge(ada, twin, mia)
    for wrong in (
        f"UPDATE leads_lead SET merged_into_id = {ada.pk} WHERE id = {third.pk}",
        f"UPDATE leads_lead SET merged_into_id = NULL WHERE id = {twin.pk}",
        f"UPDATE leads_lead SET merged_into_id = {twin.pk}, stage = 'merged' WHERE id = {ada.pk}",
    ):
        with (
            pytest.raises(IntegrityError),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(wrong)
    newest = StageEpisode.objects.get(lead=twin, left_at=None)
    with pytest.raises(IntegrityError, match="was not merged out of"), transaction.atomic():
        StageEpisode.objects.create(
            lead=twin, seq=newest.seq + 1, previous_seq=newest.seq, from_stage="merged",
            stage="sal", entry_kind="restored", entered_at=now(), actor_kind="system",
        )  # fmt: skip
