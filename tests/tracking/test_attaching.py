"""Which lead does an event belong to?"""

from datetime import timedelta

import pytest

from leads.actors import Actor
from leads.capture import capture_lead
from leads.models import Consent, ExternalId, Lead
from leads.stages import Stage
from leads.timeline import read
from tracking import attaching
from tracking.models import Event, PendingEvent, Visitor, VisitorLink
from tracking.signals import event_recorded

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SYSTEM = Actor.system("test")


def known(email: str, **fields) -> Lead:
    lead, _is_new = capture_lead(by=SYSTEM, email=email, profile=fields, is_verified=True)
    return lead


def kinds_of(lead: Lead) -> list[str]:
    return list(
        Event.objects.filter(lead=lead).order_by("occurred_at").values_list("kind", flat=True)
    )


@pytest.fixture
def news():
    heard = []

    def hear(sender, lead_ids, event_ids, **_more):
        heard.append((lead_ids, event_ids))

    event_recorded.connect(hear)
    yield heard
    event_recorded.disconnect(hear)


def test_an_anonymous_visitor_is_remembered_but_is_no_lead(tell, attach, news):
    tell("page", who="v1", url="https://us.example/a?utm_source=linkedin&utm_medium=cpc", ago=DAY)
    tell("page", who="v1", url="https://us.example/pricing")
    attach()
    visitor = Visitor.objects.get()
    assert (visitor.anonymous_id, visitor.lead, visitor.channel, visitor.source) == (
        "v1",
        None,
        "paid_social",
        "linkedin",
    )
    assert visitor.landing_path == "/a"
    assert visitor.last_seen_at - visitor.first_seen_at > HOUR
    assert not Lead.objects.exists()
    assert news == []
    assert not PendingEvent.objects.exists()


def test_a_form_makes_a_lead_of_the_visitor_and_brings_its_earlier_visits_along(tell, attach, news):
    first = tell(
        "page", who="v1", url="https://us.example/?utm_source=bing&utm_medium=cpc", ago=3 * DAY
    )
    tell("page", who="v1", url="https://us.example/pricing", ago=2 * DAY)
    tell("File Downloaded", who="v1", file_name="guide.pdf", ago=DAY)
    attach()
    form = tell("Form Submitted", who="v1", email="Ada@Acme.example ", name="Ada Lovelace",
                company="Acme", job_title="CTO", consent=True)  # fmt: skip
    attach()

    lead = Lead.objects.get()
    assert (lead.email, lead.first_name, lead.last_name, lead.company, lead.title) == (
        "ada@acme.example", "Ada", "Lovelace", "Acme", "CTO",
    )  # fmt: skip
    assert (lead.channel, lead.source, lead.medium) == ("paid_search", "bing", "cpc")
    assert not lead.is_email_verified
    assert kinds_of(lead) == [
        "page_viewed",
        "pricing_page_viewed",
        "file_downloaded",
        "form_submitted",
    ]
    episodes = list(lead.episodes.values_list("stage", "entered_at"))
    assert episodes[0] == (Stage.LEAD, first.occurred_at)
    assert episodes[1][0] == Stage.QUALIFIED
    consent = Consent.objects.get()
    assert (consent.purpose, consent.is_granted, consent.cause) == (
        "mail",
        True,
        f"event {form.pk}",
    )
    assert lead.last_activity.at == form.occurred_at
    assert sorted(event for _leads, events in news for event in events) == sorted(
        Event.objects.values_list("pk", flat=True)
    )
    link = VisitorLink.objects.get()
    assert (link.lead, link.reason, link.is_flagged) == (lead, "form", False)


def test_without_consent_the_lead_stays_a_lead(tell, attach):
    tell("Form Submitted", who="v1", email="ada@acme.example")
    attach()
    assert Lead.objects.get().stage == Stage.LEAD
    assert not Consent.objects.exists()


def test_what_a_known_visitor_does_belongs_to_its_lead(tell, attach, news):
    tell("Form Submitted", who="v1", email="ada@acme.example")
    attach()
    news.clear()
    view = tell("page", who="v1", url="https://us.example/b")
    attach()
    lead = Lead.objects.get()
    assert Event.objects.get(pk=view.pk).lead == lead
    assert news == [([lead.pk], [view.pk])]


def test_all_of_it_may_arrive_in_one_batch_and_in_any_order(tell, attach):
    tell("Form Submitted", who="v1", email="ada@acme.example")
    tell("page", who="v1", ago=DAY, path="/late")
    tell("page", who="v1", path="/later")
    attach()
    lead = Lead.objects.get()
    assert kinds_of(lead) == ["page_viewed", "form_submitted", "page_viewed"]
    # The visit that was delivered late is when this person was first here.
    assert lead.episodes.get(seq=1).entered_at == Event.objects.get(path="/late").occurred_at


def test_a_browser_never_overwrites_what_is_known(tell, attach):
    lead = known("ada@acme.example", first_name="Ada", channel="event", company="Acme")
    tell("identify", who="v1", user="7", email="ada@acme.example", first_name="Eve", company="Evil",
         title="Queen", utm_source="x")  # fmt: skip
    attach()
    lead.refresh_from_db()
    assert (lead.first_name, lead.company, lead.channel) == ("Ada", "Acme", "event")
    assert lead.title == ""  # of somebody verified, a browser does not even fill what is empty
    assert (lead.stage, lead.owner) == (Stage.LEAD, None)


def test_a_user_id_claimed_in_public_counts_until_a_server_says_whose_it_is(tell, attach):
    tell("Video Watched", user="7", title="Tour", ago=DAY)
    tell("identify", user="7", email="eve@acme.example")
    tell("Signed In", user="7")
    attach()
    eve = Lead.objects.get()
    assert kinds_of(eve) == ["video_watched", "identified", "signed_in"]
    tell("identify", user="7", email="ada@acme.example", trusted=True)
    tell("identify", user="7", email="eve@acme.example")
    tell("Trial Started", user="7")
    attach()
    ada = Lead.objects.get(email="ada@acme.example")
    # With what the claim had drawn to Eve; what names her own address stays hers.
    assert kinds_of(ada) == ["video_watched", "signed_in", "identified", "trial_started"]
    assert kinds_of(eve) == ["identified", "identified"]
    ids = ExternalId.objects.order_by("system").values_list("system", "lead")
    assert list(ids) == [("segment", ada.pk), ("segment_claimed", eve.pk)]


def test_two_known_people_are_never_merged_by_a_shared_browser(tell, attach):
    tell("Form Submitted", who="v1", email="ada@acme.example", ago=2 * DAY)
    tell("page", who="v1", path="/hers", ago=DAY)
    attach()
    tell("Form Submitted", who="v1", email="bob@acme.example", ago=HOUR)
    tell("page", who="v1", path="/his")
    attach()
    ada, bob = (
        Lead.objects.get(email="ada@acme.example"),
        Lead.objects.get(email="bob@acme.example"),
    )
    assert kinds_of(ada) == kinds_of(bob) == ["form_submitted", "page_viewed"]
    assert Event.objects.get(path="/hers").lead == ada
    assert Event.objects.get(path="/his").lead == bob
    assert list(VisitorLink.objects.values_list("lead", "is_flagged")) == [
        (ada.pk, False),
        (bob.pk, True),
    ]
    late = tell("page", who="v1", path="/late", ago=DAY)
    attach()
    assert Event.objects.get(pk=late.pk).lead == ada  # it happened while the browser was hers


def test_a_server_with_a_secret_key_is_believed(tell, attach):
    lead = known("ada@acme.example", first_name="Ada")
    tell(
        "identify",
        user="7",
        trusted=True,
        email="ada@acme.example",
        first_name="Augusta",
        country="Germany",
    )
    tell("Signed In", user="7", trusted=True)
    attach()
    lead.refresh_from_db()
    assert (lead.first_name, lead.country.code) == ("Augusta", "DE")
    assert ExternalId.objects.get().lead == lead
    assert kinds_of(lead) == ["identified", "signed_in"]


def test_what_a_server_said_about_a_user_before_it_named_the_person_is_attached_once_it_does(
    tell, attach
):
    tell("Trial Started", user="7", trusted=True, ago=DAY)
    attach()
    assert not Lead.objects.exists()
    tell("identify", user="7", trusted=True, email="ada@acme.example")
    attach()
    assert kinds_of(Lead.objects.get()) == ["trial_started", "identified"]


def test_mail_events_find_their_recipient_by_address(tell, attach):
    lead = known("ada@acme.example")
    hours = {"Email Delivered": 3, "Email Opened": 2, "Email Link Clicked": 1}
    for name, ago in hours.items():
        tell(
            name,
            user="x",
            trusted=True,
            ago=timedelta(hours=ago),
            context={"traits": {"email": "ADA@acme.example"}},
            email_subject="Spring news",
        )
    attach()
    assert kinds_of(lead) == ["email_delivered", "email_opened", "email_link_clicked"]
    titles = [entry.title for entry in read(lead, only="events")]
    assert titles == [
        "Clicked link in e-mail “Spring news”",
        "Opened e-mail “Spring news”",
        "Received e-mail “Spring news”",
    ]


def test_mail_events_with_a_public_key_name_only_whom_that_key_introduced(tell, attach):
    stranger = known("bob@acme.example")
    tell("identify", user="7", email="ada@acme.example")
    tell("Email Opened", user="7")
    tell("Email Opened", user="8", email="bob@acme.example")
    attach()
    assert kinds_of(Lead.objects.get(email="ada@acme.example")) == ["identified", "email_opened"]
    assert kinds_of(stranger) == []


def test_a_browser_never_changes_an_answer_about_consent_once_given(tell, attach):
    tell("Unsubscribed", trusted=True, email="ada@acme.example")
    attach()
    tell("Form Submitted", who="v1", email="ada@acme.example", consent=True)
    attach()
    assert list(Consent.objects.values_list("is_granted", flat=True)) == [False]
    tell("identify", user="7", trusted=True, email="ada@acme.example", consent=True)
    attach()
    assert Consent.objects.filter(is_granted=True).count() == 1


def test_a_browsers_identify_moves_nobody_who_is_known(tell, attach):
    ada = known("ada@acme.example")
    tell("identify", user="7", who="v1", email="ada@acme.example", consent=True)
    attach()
    ada.refresh_from_db()
    assert (ada.stage, Consent.objects.count()) == (Stage.LEAD, 0)
    tell("Form Submitted", who="v1", email="ada@acme.example", consent=True)
    attach()
    ada.refresh_from_db()
    assert (ada.stage, Consent.objects.count()) == (Stage.QUALIFIED, 1)


def test_a_mail_provider_makes_leads_of_recipients_nobody_knew(tell, attach):
    tell("Email Delivered", trusted=True, email="new@acme.example", campaign_name="Spring")
    attach()
    lead = Lead.objects.get()
    assert (lead.email, lead.channel, lead.campaign, lead.stage) == (
        "new@acme.example",
        "email",
        "Spring",
        Stage.LEAD,
    )
    assert lead.last_activity.at is None  # the mail system did something, not the person


def test_unsubscribing_withdraws_consent_when_a_trusted_source_says_so(tell, attach):
    lead = known("ada@acme.example")
    tell("Unsubscribed", user="x", email="ada@acme.example")
    attach()
    assert not Consent.objects.exists()  # anybody can send this with the website's public key
    event = tell("Unsubscribed", trusted=True, email="ada@acme.example")
    attach()
    consent = Consent.objects.get()
    assert (consent.lead, consent.is_granted, consent.cause) == (lead, False, f"event {event.pk}")


def test_a_click_in_a_mail_links_only_an_anonymous_browser(tell, attach):
    ada, bob = known("ada@acme.example"), known("bob@acme.example")
    tell("Email Link Clicked", who="v1", email="ada@acme.example", trusted=True)
    attach()
    tell("Email Link Clicked", who="v1", email="bob@acme.example", trusted=True)
    tell("page", who="v1", path="/x")
    attach()
    assert Visitor.objects.get().lead == ada
    assert kinds_of(ada) == ["email_link_clicked", "page_viewed"]
    assert kinds_of(bob) == ["email_link_clicked"]


def test_machines_make_no_visitors_no_leads_and_no_activity(tell, attach):
    bot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
    tell("page", who="bot", header=bot)
    tell("Form Submitted", who="bot", email="bot@acme.example", header=bot)
    attach()
    assert not Visitor.objects.exists()
    assert not Lead.objects.exists()
    lead = known("ada@acme.example")
    tell("Email Link Clicked", trusted=True, email="ada@acme.example", context={"userAgent": bot})
    tell("Unsubscribed", trusted=True, email="ada@acme.example", context={"userAgent": bot})
    attach()
    lead.refresh_from_db()
    assert lead.last_activity.at is None
    assert not Consent.objects.exists()
    (entry,) = read(lead, only="events")
    assert (entry.title, entry.is_machine, entry.count) == ("Machine activity", True, 2)


def test_one_message_has_one_effect_however_often_it_comes(tell, attach, news):
    for _ in range(3):
        tell("Form Submitted", who="v1", email="ada@acme.example", consent=True, message_id="same")
        attach()
    assert Event.objects.count() == Lead.objects.count() == Consent.objects.count() == 1
    assert len(news) == 1


def test_people_who_introduce_themselves_by_the_hundred_are_taken_in_turns(tell, attach):
    for number in range(attaching.MOST_INTRODUCTIONS + 10):
        tell("Form Submitted", who=f"v{number}", email=f"ada{number}@acme.example")
    assert attaching.drain() == attaching.MOST_INTRODUCTIONS
    attach()
    assert Lead.objects.count() == Visitor.objects.count() == attaching.MOST_INTRODUCTIONS + 10
    assert not PendingEvent.objects.exists()
