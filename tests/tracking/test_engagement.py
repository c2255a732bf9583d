"""The time spent on a page stands on its view, the longest that was told, and no more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from leads.models import Lead
from leads.timeline import read
from tracking.engagement import MOST_MS, SLACK_MS
from tracking.engagement_models import AwaitedPage
from tracking.models import Event

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def spend(tell):
    """Tells that the visitor has spent so many milliseconds on the view `m`."""

    def tell_time(spent, *, who="v1", view="m", ago=timedelta(), **more):
        return tell("Page Engaged", who=who, ago=ago, page_view_id=view, engaged_ms=spent, **more)

    return tell_time


def look(tell, **more) -> None:
    more = {"who": "v1", "path": "/guide", "message_id": "m", "ago": 10 * MINUTE, **more}
    tell("page", **more)


def on_page() -> int | None:
    return Event.objects.get(message_id="m").engaged_ms


def test_the_longest_time_counts_in_whatever_order_it_comes(tell, attach, spend):
    look(tell)
    attach()
    assert on_page() is None  # nobody said
    for spent in (5_000, 65_000, 30_000.7):
        spend(spent)
        attach()
    assert on_page() == 65_000
    spend(70_000)
    spend(66_000)
    attach()
    assert on_page() == 70_000


def test_the_view_may_come_after_the_time_spent_on_it(tell, attach, spend):
    spend(5_000)
    spend(9_000)
    attach()
    spend(7_000)
    attach()
    assert list(AwaitedPage.objects.values_list("engaged_ms", flat=True)) == [9_000]
    look(tell)
    attach()
    assert on_page() == 9_000
    assert not AwaitedPage.objects.exists()


def test_a_view_that_never_comes_is_forgotten(attach, spend):
    spend(5_000, view="lost")
    attach()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE tracking_awaitedpage SET created_at = now() - interval '31 days'")
    spend(5_000, view="other")
    attach()
    assert list(AwaitedPage.objects.values_list("message_id", flat=True)) == ["other"]


def test_nobody_can_have_looked_longer_than_since_the_view(tell, attach, spend):
    look(tell, ago=MINUTE)
    spend(50_000_000)
    attach()
    assert 60_000 <= on_page() <= 61_000 + SLACK_MS
    look(tell, ago=timedelta(hours=30), message_id="old")
    spend(1e300, view="old")
    attach()
    assert Event.objects.get(message_id="old").engaged_ms == MOST_MS


@pytest.mark.parametrize(
    ("view", "spent"),
    [("m", "5"), ("m", None), ("m", True), ("m", [1]), ("", 5), (7, 5), (None, 5), ("x" * 300, 5)],
)
def test_what_says_nothing_changes_nothing(tell, attach, spend, view, spent):
    look(tell)
    spend(spent, view=view)
    attach()
    assert on_page() is None
    assert not AwaitedPage.objects.exists()


def test_only_the_browser_that_saw_the_page_may_say_how_long(tell, attach, spend):
    look(tell)
    spend(5_000, who="v2")
    spend(-5, who="v1")
    tell("Page Engaged", user="u1", trusted=True, page_view_id="m", engaged_ms=9_000)
    attach()
    assert on_page() == 0


def test_the_timeline_shows_it_beside_the_view_and_it_earns_nothing(tell, attach, spend):
    look(tell)
    tell("Form Submitted", who="v1", email="ada@acme.example", ago=9 * MINUTE)
    attach()
    before = Lead.objects.get().last_activity.at
    spend(125_400)
    attach()
    lead = Lead.objects.get()
    assert [(entry.title, entry.detail) for entry in read(lead, only="events")][1:] == [
        ("Viewed page /guide", "2 min 5 s on the page")
    ]
    assert Event.objects.get(kind="page_engaged").lead == lead
    assert lead.last_activity.at == before


def test_no_signal_can_count_it(db):
    from django.core.exceptions import ValidationError

    from scoring.models import Signal

    signal = Signal(axis="interest", event_kind="page_engaged", frequency="every", conditions=[])
    with pytest.raises(ValidationError, match="no points of its own"):
        signal.clean()


def test_what_a_machine_tells_adds_nothing_to_a_person_s_view(tell, attach, spend):
    look(tell)
    spend(5_000)
    attach()
    spend(60_000, context={"webdriver": True})
    attach()
    assert on_page() == 5_000
    look(tell, message_id="driven", context={"webdriver": True})
    spend(7_000, view="driven", context={"webdriver": True})
    attach()
    assert Event.objects.get(message_id="driven").engaged_ms == 7_000


def test_a_machine_s_report_hides_no_person_s_one_of_the_same_batch(tell, attach, spend):
    spend(60_000, context={"webdriver": True})
    spend(5_000)
    look(tell)
    attach()
    assert (on_page(), AwaitedPage.objects.count()) == (5_000, 0)
