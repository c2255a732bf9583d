"""A lead's timeline: folded, narrowed, page by page, late events and machines marked."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils.timezone import now

from leads import lead_queries, timeline
from leads.models import Lead
from leads.timeline import Narrowing
from tests.hindsight import change_events
from tracking import attaching, channel_rules, visiting
from tracking.history import title_of
from tracking.history_queries import GroupKey
from tracking.models import Event

pytestmark = pytest.mark.django_db
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
NEWS = "?utm_source=news&utm_medium=email"


@pytest.fixture
def lead(tell) -> Lead:
    """Came by a newsletter two days ago and by itself yesterday, with a crawler in between."""
    channel_rules.forget()
    for minutes in range(5):
        ago = timedelta(days=2, minutes=minutes)
        tell("page", who="v1", url=f"https://us.example/p{minutes}{NEWS}", path=f"/p{minutes}",
             ago=ago)  # fmt: skip
    for minutes in range(3):
        tell("page", who="v1", url="https://us.example/q", ago=timedelta(days=1, minutes=minutes))
        tell("page", who="v1", path="/x", ago=timedelta(days=1, minutes=minutes), header=CRAWLER)
    tell("File Downloaded", who="v1", file_name="guide.pdf", ago=timedelta(days=1))
    tell("Form Submitted", who="v1", email="kim@globex.example")
    while attaching.drain():
        pass
    while visiting.drain():
        pass
    return Lead.objects.get()


def lines(lead: Lead, **more) -> list[tuple[str, int]]:
    entries = timeline.read(lead, only="events", **more)
    return [(entry.title, entry.count) for entry in entries]


def test_what_is_alike_is_one_line_and_machines_are_apart(lead):
    # Noon keeps each day together; the story may cross midnight in the reporting time zone.
    assert sum(count for _title, count in lines(lead)) == 13
    titles = [title for title, _count in lines(lead)]
    assert "Machine activity" in titles
    assert "Downloaded “guide.pdf”" in titles
    assert len(titles) < 9


def test_it_is_narrowed_by_kind_and_by_channel(lead):
    assert sum(n for _t, n in lines(lead, narrowing=Narrowing(kind="file_downloaded"))) == 1
    assert sum(n for _t, n in lines(lead, narrowing=Narrowing(channel="email"))) == 5
    assert lines(lead, narrowing=Narrowing(kind="moon")) == []
    offered = timeline.choices(lead)
    assert {"email", "direct"} == {value for value, _label in offered["channel"]}
    assert ("file_downloaded", "File downloaded") in offered["kind"]


def test_a_folded_line_unfolds_to_its_events(lead, mia, client: Client, monkeypatch):
    monkeypatch.setattr("tracking.history.UNFOLDED", 2)
    client.force_login(mia)
    folded = [e for e in timeline.read(lead, only="events") if e.count > 1]
    for entry in folded:
        seen, after = [], ""
        while True:
            address = f"/leads/{lead.pk}/timeline/group/"
            answer = client.get(address, {"group": entry.group, "after": after})
            unfolded = answer.context["unfolded"]
            seen += [each.key for each in unfolded.entries]
            after = unfolded.after
            if not after:
                break
        assert len(set(seen)) == len(seen) == entry.count


def test_pages_hold_every_event_exactly_once(lead, monkeypatch):
    monkeypatch.setattr(lead_queries, "TIMELINE_PAGE", 2)
    before, total, keys = None, 0, []
    while True:
        page = lead_queries.timeline_page(lead, before=before)
        own = [entry for entry in page.entries if entry.key.startswith("event")]
        total += sum(entry.count for entry in own)
        keys += [entry.key for entry in page.entries]
        before = page.before
        if before is None:
            break
    assert total == 13
    assert len(keys) == len(set(keys))


def test_late_events_say_how_late(lead):
    event = Event.objects.filter(kind="file_downloaded").get()
    at = now() - timedelta(days=3, minutes=1)
    change_events({"occurred_at": at, "received_at": now()}, pk=event.pk)
    entry = next(e for e in timeline.read(lead, only="events") if "guide" in e.title)
    assert "arrived 3 days late" in entry.detail and entry.is_late
    change_events({"received_at": now()}, path__startswith="/p")
    folded = next(e for e in timeline.read(lead, only="events") if "/p1" in e.detail)
    assert "arrived late, by up to 2 days" in folded.detail


@pytest.mark.parametrize("odd", ["", "x", "2026-99-99~0~x", "9999-12-31~0~x", "2026-01-01~1",
                                 "2026-01-01~0~\0", "0001-01-01~0~page_viewed"])  # fmt: skip
def test_odd_addresses_show_nothing(lead, mia, client: Client, odd):
    client.force_login(mia)
    for query in ({"group": odd}, {"group": "2026-01-01~0~page_viewed", "after": odd}):
        assert client.get(f"/leads/{lead.pk}/timeline/group/", query).status_code == 200
    assert (
        client.get(f"/leads/{lead.pk}/timeline/", {"kind": odd, "channel": odd}).status_code == 200
    )


def test_keys_read_back():
    key = GroupKey(now().date(), "page~viewed", False)
    assert GroupKey.read(str(key)) == key


@pytest.mark.parametrize(
    ("event", "said", "title"),
    [
        ("Form Submitted", {"name": "Marta One", "form": "Contact"}, "Sent form “Contact”"),
        ("Form Submitted", {"name": "Marta One", "form_id": "f7"}, "Sent form “f7”"),
        ("Form Submitted", {"name": "Marta One", "title": "Head of R&D"}, "Form submitted"),
        ("File Downloaded", {"name": "Marta One", "title": "CTO", "file": "a.pdf"},
         "Downloaded “a.pdf”"),
        ("Webinar Attended", {"name": "Marta One"}, "Webinar attended"),
    ],
)  # fmt: skip
def test_a_person_s_name_names_no_form_and_no_file(tell, event, said, title):
    assert title_of(tell(event, who="v1", email="marta@globex.example", **said)) == title


def test_without_a_person_a_name_is_the_thing_s(tell):
    watched = tell("Video Watched", who="v1", name="Tour")
    assert title_of(watched) == "Watched video “Tour”"
