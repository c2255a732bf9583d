"""Visits are what the events say, whatever the order they arrived in."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leads.models import Lead
from tests.tracking import visit_oracle
from tests.tracking.test_attaching import known
from tests.tracking.visit_oracle import Told
from tracking import attaching, channel_rules, visiting
from tracking.ingest import Envelope, prepare
from tracking.models import Event, Source, Visit, Visitor
from tracking.storing import store

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 2, 9, tzinfo=UTC)
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
URLS = (
    "",
    "https://us.example/",
    "https://us.example/pricing-facts",
    "https://us.example/?utm_source=news&utm_medium=email",
    "https://us.example/docs?utm_source=ads&utm_medium=cpc&utm_campaign=spring",
    "https://us.example/docs?gclid=1",
)


@pytest.fixture(autouse=True)
def rules_as_migrated():
    channel_rules.forget()


def settle() -> None:
    while attaching.drain():
        pass
    while visiting.drain():
        pass


def row_of(source: Source, told: Told, message_id: str) -> dict:
    now = datetime.now(UTC)
    message = {
        "type": "page" if told.kind == "page_viewed" else "track",
        "event": None if told.kind == "page_viewed" else told.kind.replace("_", " ").title(),
        "anonymousId": told.who,
        "messageId": message_id,
        "timestamp": told.at.isoformat(),
        "context": {"page": {"url": told.url}},
    }
    agent = CRAWLER if told.is_machine else FIREFOX
    return prepare(message, Envelope(source.pk, False, now, user_agent=agent))


def stored() -> set[tuple]:
    return {
        (v.anonymous_id, v.is_machine, v.started_at, v.ended_at, v.event_count, v.page_views,
         v.landing_path, v.source if v.has_utm else "")
        for v in Visit.objects.all()
    }  # fmt: skip


happenings = st.lists(
    st.tuples(
        st.sampled_from(["a", "b"]),
        st.integers(0, 240).map(lambda m: m // 5 * 5),  # minutes; ties and exact gaps happen
        st.sampled_from(["page_viewed", "link_clicked", "email_opened", "call_held"]),
        st.sampled_from(URLS),
        st.booleans(),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(happenings, st.randoms(use_true_random=False), st.integers(1, 6))
def test_any_order_of_arrival_ends_in_the_same_visits(story, chance: random.Random, size):
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    Event.objects.all().delete()
    Visit.objects.all().delete()
    source, _ = Source.objects.get_or_create(name="Website")
    told = [
        Told(who, START + timedelta(minutes=minute), (source.pk, f"m{n:03}"), kind, url, machine)
        for n, (who, minute, kind, url, machine) in enumerate(story)
    ]
    rows = [row_of(source, event, event.order[1]) for event in told]
    chance.shuffle(rows)
    for first in range(0, len(rows), size):
        store(rows[first : first + size])
        settle()
    assert stored() == visit_oracle.visits(told)
    assert visiting.differences() == []


def test_a_late_event_merges_two_visits(tell):
    for minutes in (120, 70):
        tell("page", who="v1", url="https://us.example/a", ago=timedelta(minutes=minutes))
    settle()
    assert Visit.objects.count() == 2
    tell("page", who="v1", url="https://us.example/b", ago=timedelta(minutes=95))
    settle()
    visit = Visit.objects.get()
    assert (visit.page_views, visit.landing_path) == (3, "/a")
    assert visit.pages["/b"] == [1, 0, 25 * 60]


def test_a_late_campaign_splits_a_visit(tell):
    for minutes in (60, 50):
        tell("page", who="v1", url="https://us.example/a", ago=timedelta(minutes=minutes))
    settle()
    url = "https://us.example/b?utm_source=news&utm_medium=email"
    tell("page", who="v1", url=url, ago=timedelta(minutes=55))
    settle()
    channels = list(Visit.objects.order_by("started_at").values_list("channel", "page_views"))
    assert channels == [("direct", 1), ("email", 2)]


def test_machines_never_touch_a_human_visit(tell):
    tell("page", who="v1", url="https://us.example/a", ago=timedelta(minutes=90))
    tell("page", who="v1", url="https://us.example/a", ago=timedelta(minutes=30))
    settle()
    human = list(Visit.objects.human().values("started_at", "ended_at", "page_views", "channel"))
    for minute in range(0, 90, 2):
        url = "https://us.example/x?utm_source=spam"
        tell("page", who="v1", url=url, ago=timedelta(minutes=minute), header=CRAWLER)
    settle()
    after = list(Visit.objects.human().values("started_at", "ended_at", "page_views", "channel"))
    assert after == human
    assert Visit.objects.get(is_machine=True).page_views == 45


def test_a_visit_belongs_to_whom_its_events_belong_to(tell):
    tell("page", who="v1", url="https://us.example/a", ago=timedelta(days=3))
    tell("Form Submitted", who="v1", email="kim@globex.example", url="https://us.example/b")
    settle()
    lead = Lead.objects.get()
    assert {visit.lead_id for visit in Visit.objects.all()} == {lead.pk}


def test_another_verdict_moves_a_visit(tell):
    event = tell("page", who="v1", url="https://us.example/a")
    settle()
    Event.objects.filter(pk=event.pk).update(verdict=2)
    settle()
    assert Visit.objects.get().is_machine


def test_time_spent_follows_the_page_views(tell):
    view = tell("page", who="v1", url="https://us.example/a", ago=timedelta(minutes=50))
    tell("page", who="v1", url="https://us.example/b", ago=timedelta(minutes=49),
         engaged_seconds=4)  # fmt: skip
    settle()
    Event.objects.filter(pk=view.pk).update(engaged_ms=9000)
    settle()
    visit = Visit.objects.get()
    assert visit.engaged_ms == 13_000
    assert visit.pages == {"/a": [1, 9000, 0], "/b": [1, 4000, 60]}


def test_what_retention_deletes_stays_in_the_figures(tell):
    old = tell("page", who="v1", url="https://us.example/a", ago=timedelta(days=390))
    tell("page", who="v1", url="https://us.example/b", ago=timedelta(days=1))
    settle()
    Event.objects.filter(pk=old.pk).delete()
    settle()
    visiting.rebuild()
    assert sorted(Visit.objects.values_list("landing_path", flat=True)) == ["/a", "/b"]
    assert visiting.differences() == []


def test_visits_can_be_made_anew(tell, capsys):
    for hours in (30, 20, 2):
        tell("page", who="v1", url="https://us.example/a", ago=timedelta(hours=hours))
    settle()
    before = stored()
    Visit.objects.filter(landing_path="/a").delete()
    with pytest.raises(Exception, match="browser v1"):
        call_command("rebuild_visits", check=True)
    call_command("rebuild_visits")
    call_command("rebuild_visits", check=True)
    assert stored() == before
    assert Visitor.objects.get().channel == "direct"


def test_a_shared_browser_is_on_a_visit_of_each(tell):
    url = "https://us.example/a?utm_source=news&utm_medium=email"
    tell("page", who="v1", url=url, ago=timedelta(minutes=20))
    tell("Form Submitted", who="v1", email="ada@acme.example", ago=timedelta(minutes=15))
    tell("Form Submitted", who="v1", email="bob@acme.example", ago=timedelta(minutes=10),
         context={"page": {"url": "https://us.example/b"}})  # fmt: skip
    view = tell("page", who="v1", url="https://us.example/c", ago=timedelta(minutes=5))
    settle()
    told = ("lead__email", "source", "landing_path", "event_count")
    shared = [("ada@acme.example", "news", "/a", 2), ("bob@acme.example", "", "/b", 2)]
    assert list(Visit.objects.order_by("started_at").values_list(*told)) == shared
    touches = {lead.email: lead.touch.first_source for lead in Lead.objects.all()}
    assert touches == {"ada@acme.example": "news", "bob@acme.example": ""}
    Event.objects.filter(pk=view.pk).update(engaged_ms=9000)
    settle()
    assert list(Visit.objects.order_by("started_at").values_list(*told)) == shared
    assert visiting.differences() == []


def test_who_is_recognised_on_the_way_came_by_what_brought_the_browser(tell):
    url = "https://us.example/a?utm_source=news&utm_medium=email"
    lead = known("ada@acme.example")
    tell("page", who="v1", url=url, ago=timedelta(minutes=20))
    form = tell("page", who="v1", url="https://us.example/b", ago=timedelta(minutes=15))
    late = tell("page", who="v1", url="https://us.example/c", ago=timedelta(minutes=5))
    settle()
    Event.objects.filter(pk__in=(form.pk, late.pk)).update(lead=lead)
    settle()
    told = ("lead__email", "source", "landing_path", "event_count")
    both = [(None, "news", "/a", 1), ("ada@acme.example", "news", "/a", 2)]
    assert list(Visit.objects.order_by("started_at").values_list(*told)) == both
    Event.objects.filter(pk=late.pk).update(engaged_ms=9000)
    settle()
    assert list(Visit.objects.order_by("started_at").values_list(*told)) == both
    assert visiting.differences() == []
