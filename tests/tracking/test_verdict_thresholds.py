"""An edited threshold holds for stored events, as if it had been there from the beginning."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils.timezone import now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leads.models import Lead, Standing
from tests.tracking.ruling import ADA, books_balance, rule, settle, take_back
from tests.tracking.test_attaching import known
from tests.tracking.test_verdict_behaviour import HOUR, SECOND, burst, of
from tracking.models import Event, Verdict, VerdictChange, VerdictCheck, VerdictSignal, Visitor
from tracking.verdicts import checking, previewing, ruling, running

__all__ = ["rule", "settle", "take_back"]


@pytest.fixture
def edit(settle):
    """Edit a signal as an admin does, and let all events follow."""

    def edited(name: str, **said) -> previewing.Preview:
        signal = VerdictSignal.objects.get(name=name)
        for field, value in said.items():
            setattr(signal, field, value)
        expected = previewing.preview(signal)
        before = dict(Event.objects.values_list("pk", "verdict"))
        signal.save()
        ruling.ask_for_run(cause=name)
        settle()
        after = dict(Event.objects.values_list("pk", "verdict"))
        assert expected.event_count == sum(after[pk] != before[pk] for pk in before)
        return expected

    return edited


@pytest.fixture
def mail(tell):
    known(ADA)

    def happened(what: str, ago: timedelta, link: str = "", **said) -> Event:
        said = {"email_id": "spring", **({"link_url": link} if link else {}), **said}
        return tell(f"Email {what}", trusted=True, email=ADA, ago=ago, **said)

    return happened


def test_fewer_pages_are_enough_and_more_are_not(tell, settle, edit):
    views = burst(tell, 10)
    form = tell("Form Submitted", who="v1", email=ADA, consent=True, ago=HOUR - 2 * SECOND)
    settle()
    lead = Lead.objects.get()
    seen = edit("too_quick", most=9)
    assert (seen.event_count, seen.cease_count, seen.begin_count) == (11, 11, 0)
    assert (seen.lead_count, seen.visitor_count, seen.is_all) == (1, 1, True)
    assert {of(view)[0] for view in (*views, form)} == {Verdict.MACHINE}
    lead.standing.refresh_from_db()
    assert lead.standing.interest == 0
    assert books_balance()
    again = edit("too_quick", most=20)
    assert (again.begin_count, again.cease_count) == (11, 0)
    assert [of(view) for view in (*views, form)] == [(Verdict.HUMAN, [])] * 11
    lead.standing.refresh_from_db()
    assert lead.standing.interest > 0
    assert Lead.objects.get().consents.count() == 1
    assert books_balance()


def test_a_form_that_was_never_counted_makes_its_lead(tell, settle, edit):
    burst(tell, 25)
    tell("Form Submitted", who="v1", email=ADA, consent=True, ago=HOUR - 2 * SECOND)
    settle()
    assert not Lead.objects.exists()
    assert not Visitor.objects.exists()
    edit("too_quick", seconds=2)
    assert (Lead.objects.get().email, Visitor.objects.count()) == (ADA, 1)
    assert books_balance()


def test_how_many_links_at_once_is_too_many(mail, settle, edit):
    clicks = [mail("Link Clicked", HOUR - n * SECOND, f"https://us.example/{n}") for n in range(3)]
    settle()
    assert {of(click)[0] for click in clicks} == {Verdict.MACHINE}
    edit("all_links", most=4)
    assert [of(click) for click in clicks] == [(Verdict.HUMAN, [])] * 3
    edit("all_links", most=2, seconds=2)
    assert {of(click)[0] for click in clicks} == {Verdict.MACHINE}


def test_how_soon_is_before_delivery(mail, settle, edit):
    mail("Delivered", HOUR)
    opened = mail("Opened", HOUR - 5 * SECOND)
    settle()
    assert of(opened) == (Verdict.HUMAN, [])
    edit("before_delivery", seconds=6)
    assert of(opened) == (Verdict.MACHINE, ["before_delivery"])
    edit("before_delivery", seconds=2)
    assert of(opened) == (Verdict.HUMAN, [])


def test_how_late_a_page_view_may_be(tell, mail, settle, edit):
    tell("page", who="somebody", url="https://us.example/home", ago=timedelta(days=1))
    settle()
    click = mail("Link Clicked", HOUR, "https://us.example/offer")
    tell("page", who="v1", url="https://us.example/offer", ago=HOUR - timedelta(minutes=15))
    settle()
    VerdictCheck.objects.update(due_at="2020-01-01T00:00Z")
    checking.drain()
    assert of(click) == (Verdict.SUSPECTED, ["no_page_beacon"])
    # It came in a moment ago, so a view within a day may still be told: asked again later.
    edit("no_page_beacon", seconds=86_400)
    assert of(click) == (Verdict.HUMAN, [])
    check = VerdictCheck.objects.get(event_id=click.pk)
    assert check.due_at == click.received_at + timedelta(days=1)


def test_a_rule_still_overrules_what_is_found(tell, settle, rule, take_back, edit):
    views = burst(tell, 10)
    settle()
    ours = rule("human", visitor="v1")
    edit("too_quick", most=5)
    assert {of(view)[0] for view in views} == {Verdict.HUMAN}
    assert {"too_quick", f"rule:{ours.pk}"} == set(of(views[0])[1])
    take_back(ours)
    assert {of(view)[0] for view in views} == {Verdict.MACHINE}


def test_what_was_found_stays_while_a_signal_says_nothing(tell, settle, edit):
    views = burst(tell, 25)
    settle()
    edit("too_quick", effect="off", most=100)
    assert [of(view) for view in views] == [(Verdict.HUMAN, ["too_quick"])] * 25
    edit("too_quick", effect="suspected")
    assert [of(view) for view in views] == [(Verdict.HUMAN, [])] * 25


STORIES = st.lists(
    st.tuples(
        st.sampled_from(["page", "Email Opened", "Email Link Clicked", "Email Delivered"]),
        st.integers(0, 12),
        st.sampled_from(["v1", "v2"]),
        st.sampled_from(["https://us.example/a", "https://us.example/b", "https://us.example/c"]),
    ),
    min_size=3,
    max_size=14,
)
LIMITS = st.tuples(
    st.sampled_from(["too_quick", "all_links", "before_delivery"]),
    st.integers(2, 6),
    st.sampled_from([1, 2, 3, 4, 5, 6, 8]),
)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(STORIES, LIMITS, st.integers(1, 6))
def test_edited_before_or_after_the_events_came_is_the_same(
    monkeypatch, tell, settle, mail, edit, stories, limits, slice_size
):
    """Whatever people did, in slices of any size: edited afterwards, or there beforehand.

    Deliveries are told first: one that is told after a click acquits nobody as it arrives.
    """
    stories = sorted(stories, key=lambda story: story[0] != "Email Delivered")
    monkeypatch.setattr(running, "SLICE", slice_size)
    name, most, seconds = limits
    outcomes = []
    begin = now() - HOUR
    for is_before in (True, False):
        with transaction.atomic():
            said = {"seconds": seconds} | ({} if name == "before_delivery" else {"most": most})
            if is_before:
                edit(name, **said)
            for what, step, who, link in stories:
                # No two of them lie a whole number of seconds apart: no threshold cuts there.
                ago = now() - (begin + step * 0.7 * SECOND)
                if what == "page":
                    tell("page", who=who, path="/", ago=ago)
                else:
                    mail(what.removeprefix("Email "), ago, link)
                settle()
            if not is_before:
                edit(name, **said)
            events = Event.objects.order_by("id")
            outcomes.append(list(events.values_list("verdict", "verdict_signals")))
            assert books_balance()
            transaction.set_rollback(True)
    assert outcomes[0] == outcomes[1]


def test_admins_see_what_an_edit_changes_before_they_save_it(ana, client, tell, settle):
    burst(tell, 10)
    settle()
    client.force_login(ana)
    signal = VerdictSignal.objects.get(name="too_quick")
    url = reverse("admin:tracking_verdictsignal_change", args=[signal.pk])
    said = {"effect": "machine", "most": "9", "seconds": "10"}
    assert "See what it changes" in client.get(url).text
    shown = client.post(url, said | {"_preview": "1"})
    assert shown.status_code == 200
    assert "10 events would change. Leads: 0, visitors: 1." in shown.text
    assert 'value="9"' in shown.text
    signal.refresh_from_db()
    assert signal.most == 20
    for wrong in ("", "1", "0", "99999999"):
        refused = client.post(url, said | {"most": wrong})
        assert "Between 2 and 10000." in refused.text
    assert client.post(url, said).status_code == 302
    settle()
    assert set(Event.objects.values_list("verdict", flat=True)) == {Verdict.MACHINE}
    assert VerdictChange.objects.filter(cause="too_quick").count() == 10
    assert Standing.objects.count() == 0
