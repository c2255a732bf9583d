"""Marketers change the channel rules; what is stored follows, up to the figures."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from insights import folding
from insights.models import Stay
from leads.actors import Actor
from leads.models import AuditEntry, Lead, LeadTouch
from leads.refusals import Refused
from tracking import attaching, channel_rules, reclassifying, visiting
from tracking.channel_models import ChannelRule, ChannelRuleset
from tracking.channels import classify
from tracking.models import Visit, Visitor

pytestmark = pytest.mark.django_db
PARTNER = "https://blog.partner.example/post"


@pytest.fixture(autouse=True)
def rules_as_migrated():
    channel_rules.forget()
    yield
    channel_rules.forget()


@pytest.fixture
def page(mia, client: Client) -> Client:
    client.force_login(mia)
    return client


def work_off() -> None:
    for drain in (attaching.drain, visiting.drain, reclassifying.drain, folding.drain):
        while drain():
            pass


def partner_rule(**more) -> dict:
    return {
        "subject": "referrer",
        "operator": "domain",
        "values": ["partner.example"],
        "channel": "affiliate",
        "source": "partner",
        "medium": "referral",
        "is_active": True,
        **more,
    }


def first_of(channel: str) -> int:
    return ChannelRule.objects.filter(channel=channel).earliest("position").pk


def test_a_new_rule_restates_visits_first_touches_leads_and_figures(tell, mia):
    tell("page", who="v1", url="https://us.example/a", referrer=PARTNER, ago=timedelta(days=2))
    tell("Form Submitted", who="v1", email="kim@globex.example", url="https://us.example/b")
    work_off()
    lead = Lead.objects.get()
    assert (lead.channel, lead.source) == ("web_referral", "blog.partner.example")
    assert Stay.objects.filter(lead=lead, channel="web_referral").exists()

    anchor = ChannelRule.objects.get(subject="referrer", operator="present").pk
    rule = channel_rules.add_rule(partner_rule(), by=Actor.of(mia), before=anchor)
    work_off()
    lead.refresh_from_db()
    visit = Visit.objects.earliest("started_at")
    assert (visit.channel, visit.source, visit.rule_id) == ("affiliate", "partner", rule.pk)
    assert Visitor.objects.get().channel == "affiliate"
    assert (lead.channel, lead.source) == ("affiliate", "partner")
    touch = LeadTouch.objects.get(lead=lead)
    assert (touch.first_channel, touch.last_channel) == ("affiliate", "affiliate")
    assert set(Stay.objects.filter(lead=lead).values_list("channel", flat=True)) == {"affiliate"}
    assert reclassifying.progress()["restated"] == 1


def test_what_a_colleague_wrote_about_the_origin_stays(tell, mia):
    tell("page", who="v1", url="https://us.example/a", referrer=PARTNER, ago=timedelta(minutes=5))
    tell("Form Submitted", who="v1", email="a@globex.example")
    work_off()
    Lead.objects.update(channel="event", source="fair")
    anchor = ChannelRule.objects.get(subject="referrer", operator="present").pk
    channel_rules.add_rule(partner_rule(), by=Actor.of(mia), before=anchor)
    work_off()
    assert Lead.objects.get().channel == "event"
    assert Visitor.objects.get().channel == "affiliate"


def test_rules_are_refused_with_a_sentence(mia):
    for wrong in ({"channel": "?"}, {"subject": "moon"}, {"values": [" "]}, {"values": []}):
        with pytest.raises(Refused):
            channel_rules.add_rule(partner_rule(**wrong), by=Actor.of(mia))
    assert ChannelRuleset.objects.get().revision == 1


def test_a_rule_that_is_off_or_gone_decides_nothing(mia):
    by = Actor.of(mia)
    rule = channel_rules.add_rule(partner_rule(), by=by, before=first_of("paid_social"))
    channel_rules.forget()
    assert classify("https://us.example/", PARTNER).channel == "affiliate"
    channel_rules.change_rule(rule.pk, partner_rule(is_active=False), by=by)
    channel_rules.forget()
    assert classify("https://us.example/", PARTNER).channel == "web_referral"
    channel_rules.remove_rule(rule.pk, by=by)
    verbs = AuditEntry.objects.filter(object_kind="channel_rule").values_list("verb", flat=True)
    assert sorted(verbs) == ["added", "edited", "removed"]


def test_other_processes_notice_a_change(mia):
    assert classify("https://us.example/", PARTNER).channel == "web_referral"
    ChannelRule.objects.all().delete()
    assert classify("https://us.example/", PARTNER).channel == "web_referral"  # as remembered
    ChannelRuleset.objects.update(revision=2)
    assert channel_rules.hold() == ()


def test_a_marketer_tries_an_address_out(page):
    answer = page.get(
        reverse("tracking:channels"),
        {"url": "us.example/?utm_source=LinkedIn&utm_medium=cpc", "referrer": ""},
    )
    assert "Paid social" in answer.text
    assert "Rule 1 decides: UTM medium is one of “cpc” and UTM source" in answer.text
    plain = page.get(reverse("tracking:channels"), {"url": "https://us.example/", "referrer": ""})
    assert "No rule fits" in plain.text


def test_a_marketer_writes_moves_and_removes_a_rule(page):
    said = {"subject": "landing_path", "operator": "begins", "values": "/fair\n/booth, /FAIR",
            "channel": "event", "is_active": "on"}  # fmt: skip
    address = f"{reverse('tracking:channel_rule_new')}?before={first_of('paid_social')}"
    assert page.post(address, said).status_code == 302
    rule = ChannelRule.objects.get(position=1)
    assert (rule.values, rule.channel) == (["/fair", "/booth"], "event")
    page.post(reverse("tracking:channel_rule_place", args=[rule.pk]), {"way": "down"})
    assert ChannelRule.objects.get(pk=rule.pk).position == 2
    wrong = page.post(reverse("tracking:channel_rule", args=[rule.pk]), said | {"values": ""})
    assert (wrong.status_code, "Give from 1 to" in wrong.text) == (422, True)
    assert page.get(reverse("tracking:channel_rule", args=[rule.pk])).status_code == 200
    page.post(reverse("tracking:channel_rule_removal", args=[rule.pk]))
    assert not ChannelRule.objects.filter(pk=rule.pk).exists()
    positions = list(ChannelRule.objects.values_list("position", flat=True))
    assert positions == sorted(set(positions))
