"""What gives a machine away only beside other events, and what follows from that."""

from datetime import timedelta

import pytest

from leads.models import Lead
from tests.tracking.test_attaching import known
from tracking.events import PAGE_VIEWS
from tracking.models import (
    BeaconHost,
    Event,
    Verdict,
    VerdictChange,
    VerdictCheck,
    VerdictSignal,
    Visitor,
)
from tracking.verdicts import checking

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
ADA = "ada@acme.example"


def of(event: Event) -> tuple[int, list[str]]:
    event.refresh_from_db()
    return event.verdict, event.verdict_signals


@pytest.fixture
def mail(tell):
    """Something happened with the mail “spring” to Ada, `ago`."""
    known(ADA)

    def happened(what: str, ago: timedelta, link: str = "", email: str = ADA, **said) -> Event:
        said = {"email_id": "spring", **({"link_url": link} if link else {}), **said}
        return tell(f"Email {what}", trusted=True, email=email, ago=ago, **said)

    return happened


def make_due() -> None:
    VerdictCheck.objects.update(due_at="2020-01-01T00:00Z")


def test_three_different_links_within_seconds_are_a_scanners(mail, attach):
    clicks = [mail("Link Clicked", HOUR - n * SECOND, f"https://us.example/{n}") for n in range(3)]
    later = mail("Link Clicked", HOUR / 2, "https://us.example/0")
    attach()
    assert [of(click) for click in clicks] == [(Verdict.MACHINE, ["all_links"])] * 3
    assert of(later) == (Verdict.HUMAN, [])


@pytest.mark.parametrize("cut", [1, 2])
def test_it_makes_no_difference_in_which_batches_clicks_arrive(mail, attach, cut):
    clicks = [mail("Link Clicked", HOUR - n * SECOND, f"https://us.example/{n}") for n in range(2)]
    attach()
    assert [of(click)[0] for click in clicks] == [Verdict.HUMAN] * 2
    assert Lead.objects.get().last_activity.at == clicks[1].occurred_at
    clicks.append(mail("Link Clicked", HOUR + cut * SECOND, "https://us.example/x"))
    attach()
    assert [of(click)[0] for click in clicks] == [Verdict.MACHINE] * 3
    assert Lead.objects.get().last_activity.at is None
    assert VerdictChange.objects.count() == 3


def test_one_link_clicked_again_and_again_is_a_human(mail, attach):
    clicks = [mail("Link Clicked", HOUR - n * SECOND, "https://us.example/") for n in range(5)]
    attach()
    assert {of(click)[0] for click in clicks} == {Verdict.HUMAN}


def test_a_mail_that_names_its_number_of_links_may_have_few(mail, attach):
    clicks = [
        mail("Link Clicked", HOUR - n * SECOND, f"https://us.example/{n}", link_count=2)
        for n in range(2)
    ]
    attach()
    assert {of(click)[0] for click in clicks} == {Verdict.MACHINE}


def test_links_of_several_mails_are_not_added_up(mail, attach):
    for number in range(3):
        mail("Link Clicked", HOUR, f"https://us.example/{number}", email_id=f"mail {number}")
    attach()
    assert set(Event.objects.values_list("verdict", flat=True)) == {Verdict.HUMAN}


def test_nobody_opens_or_clicks_before_the_mail_is_there(mail, attach):
    early = mail("Opened", HOUR + SECOND)
    mail("Delivered", HOUR)
    at_once = mail("Link Clicked", HOUR - SECOND, "https://us.example/")
    human = mail("Link Clicked", HOUR - 2 * SECOND, "https://us.example/")
    attach()
    assert of(early) == of(at_once) == (Verdict.MACHINE, ["before_delivery"])
    assert of(human) == (Verdict.HUMAN, [])


def test_a_delivery_that_is_told_late_counts_too(mail, attach):
    click = mail("Link Clicked", HOUR, "https://us.example/")
    attach()
    assert of(click)[0] == Verdict.HUMAN
    mail("Delivered", HOUR - SECOND)
    attach()
    assert of(click)[0] == Verdict.MACHINE


def test_sending_counts_where_no_delivery_is_told(mail, attach):
    mail("Sent", HOUR)
    click = mail("Link Clicked", HOUR - SECOND, "https://us.example/")
    attach()
    assert of(click)[1] == ["before_delivery"]
    mail("Sent", HOUR, email="bob@acme.example")
    mail("Delivered", HOUR - MINUTE, email="bob@acme.example")
    between = mail("Link Clicked", HOUR - MINUTE / 2, "https://us.example/", "bob@acme.example")
    after = mail("Link Clicked", HOUR - 2 * MINUTE, "https://us.example/", "bob@acme.example")
    attach()
    assert (of(between)[0], of(after)[0]) == (Verdict.MACHINE, Verdict.HUMAN)


@pytest.fixture
def site_reports(tell, attach):
    """The website us.example has reported page views since yesterday."""
    tell("page", who="somebody", url="https://us.example/home", ago=timedelta(days=1))
    attach()
    assert BeaconHost.objects.get().host == "us.example"


def test_a_click_that_no_browser_followed_is_suspected(site_reports, mail, attach):
    click = mail("Link Clicked", HOUR, "https://us.example/offer?utm_source=mail")
    attach()
    assert checking.drain() == 0  # not due
    assert of(click) == (Verdict.HUMAN, [])
    make_due()
    assert checking.drain() == 1
    assert of(click) == (Verdict.SUSPECTED, ["no_page_beacon"])
    assert not VerdictCheck.objects.exists()


@pytest.mark.parametrize("minutes", [0, 9])
def test_a_page_view_on_the_site_shows_a_browser(site_reports, mail, attach, tell, minutes):
    click = mail("Link Clicked", HOUR, "https://us.example/offer")
    tell("page", who="v1", url="https://us.example/offer?x=1", ago=HOUR - minutes * MINUTE)
    attach()
    make_due()
    checking.drain()
    assert of(click) == (Verdict.HUMAN, [])


def test_a_page_view_elsewhere_or_later_does_not(site_reports, mail, attach, tell):
    click = mail("Link Clicked", HOUR, "https://us.example/offer")
    tell("page", who="v1", url="https://us.example/other", ago=HOUR)
    tell("page", who="v1", url="https://us.example/offer", ago=HOUR - 11 * MINUTE)
    attach()
    make_due()
    checking.drain()
    assert of(click)[1] == ["no_page_beacon"]


def test_the_leads_own_browser_may_have_been_led_on(site_reports, mail, attach, tell):
    tell("Form Submitted", who="adas", email=ADA, ago=2 * HOUR)
    attach()
    click = mail("Link Clicked", HOUR, "https://us.example/offer")
    tell("page", who="adas", url="https://us.example/welcome", ago=HOUR - MINUTE)
    attach()
    make_due()
    checking.drain()
    assert of(click) == (Verdict.HUMAN, [])


def test_where_the_site_reports_nothing_silence_is_no_evidence(mail, attach):
    click = mail("Link Clicked", HOUR, "https://elsewhere.example/offer")
    attach()
    make_due()
    checking.drain()
    assert of(click) == (Verdict.HUMAN, [])


def test_a_check_that_fails_is_left_aside_after_five_attempts(mail, attach, monkeypatch):
    bad = mail("Link Clicked", HOUR, "https://us.example/a")
    good = mail("Link Clicked", HOUR / 2, "https://us.example/b")
    attach()
    look = checking.behaviour.without_beacon

    def choke(event_ids):
        if bad.pk in event_ids:
            raise ZeroDivisionError("poison")
        return look(event_ids)

    monkeypatch.setattr(checking.behaviour, "without_beacon", choke)
    make_due()
    for _ in range(6):
        checking.drain()
        make_due()
    left = VerdictCheck.objects.get()
    assert (left.pk, left.attempts) == (bad.pk, 5)
    assert "poison" in left.error
    assert good.pk != left.pk


def burst(tell, count: int, who: str = "v1", start: timedelta = HOUR) -> list[Event]:
    return [
        tell("page", who=who, path=f"/{n}", ago=start - n * timedelta(milliseconds=300))
        for n in range(count)
    ]


def test_nobody_views_twenty_one_pages_in_ten_seconds(tell, attach):
    before = tell("page", who="v1", path="/", ago=HOUR + MINUTE)
    views = burst(tell, 21)
    form = tell("Form Submitted", who="v1", email="bot@acme.example", ago=HOUR - 2 * SECOND)
    after = tell("page", who="v1", path="/", ago=HOUR - MINUTE)
    other = tell("page", who="v2", path="/", ago=HOUR)
    attach()
    assert [of(view) for view in views] == [(Verdict.MACHINE, ["too_quick"])] * 21
    assert of(form)[0] == Verdict.MACHINE
    assert not Lead.objects.exists()
    assert [of(view)[0] for view in (before, after, other)] == [Verdict.HUMAN] * 3
    assert Visitor.objects.get(anonymous_id="v1").first_seen_at == before.occurred_at


def test_twenty_pages_are_not_too_quick(tell, attach):
    views = burst(tell, 20)
    attach()
    assert {of(view)[0] for view in views} == {Verdict.HUMAN}


def test_it_makes_no_difference_how_a_burst_arrives(tell, attach):
    for part in range(3):
        burst(tell, 7, start=HOUR - part * SECOND)
        attach()
    assert set(Event.objects.values_list("verdict", flat=True)) == {Verdict.MACHINE}
    assert not Visitor.objects.exists()


def test_a_servers_events_may_share_one_instant(tell, attach):
    for _ in range(30):
        tell("page", who="v1", path="/", ago=HOUR, trusted=True)
    attach()
    assert set(Event.objects.values_list("verdict", flat=True)) == {Verdict.HUMAN}


def test_thresholds_are_rows(tell, attach):
    VerdictSignal.objects.filter(name="too_quick").update(most=5, effect="suspected")
    burst(tell, 6)
    attach()
    assert set(Event.objects.values_list("verdict", flat=True)) == {Verdict.SUSPECTED}
    VerdictSignal.objects.filter(name="too_quick").update(effect="off")
    burst(tell, 6, who="v2")
    attach()
    seen = Event.objects.filter(anonymous_id="v2", kind__in=PAGE_VIEWS)
    assert set(seen.values_list("verdict", flat=True)) == {Verdict.HUMAN}


def test_cloud_networks_are_weak_evidence(tell, attach):
    cloud = {"context": {"ip": "5.9.1.2"}, "trusted": True, "email": ADA}
    known(ADA)
    plain = tell("page", **cloud)
    odd = tell("page", **{**cloud, "context": {"ip": "5.9.1.2", "userAgent": "Mozilla/5.0"}})
    attach()
    assert of(plain) == (Verdict.HUMAN, ["data_centre"])
    assert of(odd) == (Verdict.SUSPECTED, ["data_centre", "odd_user_agent"])
