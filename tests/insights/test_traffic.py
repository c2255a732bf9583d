"""Traffic: each figure says what it means, opens as many rows, and follows what changes."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import now
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from insights import folding
from insights.traffic import folding as traffic
from insights.traffic import lists
from insights.traffic.pages import read_pages
from insights.traffic_models import PageCell, ReturnCell, TrafficCell
from leads.actors import Actor
from leads.models import Lead
from tests.tracking.conftest import attach, crm, tell, website  # noqa: F401
from tracking import attaching, channel_rules, reclassifying, visiting
from tracking.models import Event, Visit

pytestmark = pytest.mark.django_db
CRAWLER = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


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
    drains = (attaching.drain, visiting.drain, reclassifying.drain, folding.drain, traffic.drain)
    for drain in drains:
        while drain():
            pass


def see(tell, who: str, path: str, days: float, query: str = "", **more) -> Event:  # noqa: F811
    url = f"https://us.example{path}{query}"
    return tell("page", who=who, url=url, path=path, ago=timedelta(days=days), **more)


@pytest.fixture
def story(tell):  # noqa: F811
    """Three visitors and a crawler: two came 60 days ago, one of them became a Qualified lead."""
    news = "?utm_source=news&utm_medium=email&utm_campaign=spring"
    see(tell, "kim", "/start", 60, news)
    see(tell, "kim", "/pricing-facts", 2)
    tell("Form Submitted", who="kim", email="kim@globex.example", consent=True,
         ago=timedelta(days=58))  # fmt: skip
    see(tell, "lee", "/start", 60)
    see(tell, "lee", "/start", 3)
    see(tell, "max", "/start", 1, engaged_seconds=30)
    see(tell, "bot", "/start", 1, header=CRAWLER)
    work_off()


def report_of(page: Client, **params):
    return page.get(reverse("traffic:traffic"), params).context["report"]


def test_humans_and_raw_stand_side_by_side(page, story):
    report = report_of(page)
    assert (report.human.visitors, report.human.visits, report.human.new_visitors) == (3, 3, 1)
    assert (report.raw.visitors, report.raw.visits, report.raw.new_visitors) == (4, 4, 2)
    assert report.human.engaged_ms == 30_000
    whole = report_of(page, period="all")
    assert (whole.human.visitors, whole.human.visits) == (3, 6)


def test_visitors_become_leads_as_a_cohort(page, story):
    report = report_of(page, period="all")
    assert (report.cohort.mature, report.cohort.became_leads, report.cohort.immature) == (2, 1, 1)
    assert report.cohort.lead_rate == 0.5
    young = report_of(page).cohort
    assert (young.lead_rate, young.rate_so_far, report.cohort.rate_so_far) == (None, 0, None)
    by_channel = {line.name: line.cohort.lead_rate for line in report.lines}
    assert by_channel == {"email": 1.0, "direct": 0.0}


def test_where_nobody_is_old_enough_the_rate_so_far_stands_marked(page, story, tell):  # noqa: F811
    see(tell, "zoe", "/start", 5, "?utm_source=news&utm_medium=email")
    tell("Form Submitted", who="zoe", email="zoe@globex.example", ago=timedelta(days=4))
    work_off()
    report = report_of(page)
    assert (report.cohort.leads_so_far, report.cohort.rate_so_far) == (1, 0.5)
    by_channel = {line.name: line.cohort.rate_so_far for line in report.lines}
    assert by_channel == {"email": 1.0, "direct": 0.0}
    text = page.get(reverse("traffic:traffic")).text
    assert "still maturing" in text
    [opened] = set(re.findall(r'href="([^"]+leads_so_far[^"]*)">1</a>\s*of', text)[:1])
    assert page.get(opened.replace("&amp;", "&")).context["count"] == 1
    whole = report_of(page, period="all").cohort
    assert (whole.leads_so_far, whole.became_leads, whole.rate_so_far) == (2, 1, None)


def test_pages_convert_when_they_were_seen_before(page, story, tell):  # noqa: F811
    see(tell, "kim", "/thanks", 0)
    work_off()
    report = report_of(page, period="all")
    assert report.goals["qualified"] == 1
    goals = {line.path: line.goals["qualified"] for line in report.pages}
    assert goals == {"/start": 1, "/pricing-facts": 1, "/thanks": 0}
    campaigns = {
        line.name: line.goals for line in report_of(page, period="all", by="campaign").lines
    }
    assert campaigns["spring"]["qualified"] == 1


@pytest.mark.parametrize("params", [
    {"period": "all"}, {}, {"period": "all", "channel": "email"},
    {"period": "all", "by": "source"}, {"period": "all", "by": "campaign", "campaign": "spring"},
    {"period": "all", "source": "(not set)"}, {"period": "90d", "channel": "direct"},
])  # fmt: skip
def test_every_figure_opens_as_many_rows(page, story, params):
    text = page.get(reverse("traffic:traffic"), params).text
    links = re.findall(r'<a class="count" href="([^"]+)">([\d,]+)</a>', text)
    assert len(links) > 5 or "campaign" in params or "source" in params
    for address, shown in links:
        answer = page.get(address.replace("&amp;", "&"))
        assert answer.context["count"] == int(shown.replace(",", "")), address
        rows = answer.context["page"]
        assert len(getattr(rows, "visits", None) or rows.stays) == answer.context["count"]


SEGMENTS = st.fixed_dictionaries(
    {"period": st.sampled_from(["all", "30d", "90d"]),
     "by": st.sampled_from(["channel", "source", "campaign"]),
     "order": st.sampled_from(["visits", "engaged_ms", "qualified"])},
    optional={
        "channel": st.sampled_from(["email", "direct", "paid_search"]),
        "source": st.sampled_from(["news", "google", "(not set)", "nobody"]),
        "campaign": st.sampled_from(["spring", "(not set)"]),
    },
)  # fmt: skip


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(SEGMENTS)
def test_whatever_is_chosen_figure_list_and_file_agree(page, story, params):
    """Every figure of the page, those of pages too, says as many as its list and its CSV have."""
    answer = page.get(reverse("traffic:traffic"), params)
    report, filters = answer.context["report"], answer.context["filters"]
    for address, shown in re.findall(r'<a class="count" href="([^"]+)">([\d,]+)</a>', answer.text):
        count = int(shown.replace(",", ""))
        listed = page.get(address.replace("&amp;", "&"))
        assert listed.context["count"] == count, address
        assert listed.context["filters"].segment.items() >= filters.segment.items()
        path, _, query = address.replace("&amp;", "&").partition("?")
        file = page.get(f"{path.rstrip('/')}.csv?{query}")
        lines = b"".join(file.streaming_content).decode().splitlines()
        assert len(lines) == count + 1, address
    seen = Visit.objects.human().filter(**filters.segment)
    if params["period"] == "all":
        assert sum(line.views for line in report.pages) == sum(v.page_views for v in seen)
        assert sum(line.engaged_ms for line in report.pages) == sum(v.engaged_ms for v in seen)


def test_pages_are_narrowed_by_source_and_campaign(page, story):
    report = report_of(page, period="all", source="news", campaign="spring")
    assert {line.path: (line.visits, line.goals["qualified"]) for line in report.pages} == {
        "/start": (1, 1), "/pricing-facts": (0, 1),
    }  # fmt: skip
    everything = report_of(page, period="all")
    assert {line.path: line.visits for line in everything.pages} == {
        "/start": 4,
        "/pricing-facts": 1,
    }


def test_pages_counted_from_visits_equal_those_of_cells(page, story):
    for channel in (None, "email", "direct"):
        segment = {"channel": channel} if channel else {}
        whole = report_filters(page, period="all", **segment)
        by_source = {}
        for source in ("", "news", "google"):
            for line in read_pages(whole.within(source=source)):
                kept = by_source.setdefault(line.path, [0, 0, 0, 0, 0])
                sums = (line.visits, line.raw_visits, line.views, line.engaged_ms,
                        line.goals["qualified"])  # fmt: skip
                by_source[line.path] = [a + b for a, b in zip(kept, sums, strict=True)]
        assert by_source == {
            line.path: [line.visits, line.raw_visits, line.views, line.engaged_ms,
                        line.goals["qualified"]]
            for line in read_pages(whole)
        }  # fmt: skip


def report_filters(page: Client, **params):
    return page.get(reverse("traffic:traffic"), params).context["filters"]


def cells() -> list:
    return [
        sorted(model.objects.values_list(*(f.name for f in model._meta.concrete_fields)), key=str)
        for model in traffic.CELLS
    ]


def test_what_changes_is_restated_as_if_made_anew(page, story, tell, mia):  # noqa: F811
    see(tell, "lee", "/docs", 40, "?gclid=1")  # late, between two visits
    see(tell, "max", "/docs", 1 - 0.01)
    tell("Form Submitted", who="lee", email="lee@globex.example", consent=True)
    event = Event.objects.filter(anonymous_id="bot").get()
    Event.objects.filter(pk=event.pk).update(verdict=0)
    work_off()
    rule = {"subject": "landing_path", "operator": "begins", "values": ["/docs"],
            "channel": "event", "is_active": True}  # fmt: skip
    channel_rules.add_rule(rule, by=Actor.of(mia), before=1)
    work_off()
    Lead.objects.filter(email="lee@globex.example").update(campaign="autumn")
    work_off()
    kept = cells()
    visiting.rebuild()
    traffic.rebuild()
    assert cells() == kept
    report = report_of(page, period="all")
    assert (report.human.visitors, report.raw.visitors) == (4, 4)


def test_figures_by_day_equal_a_count_of_visits(page, story):
    for days in (0, 1, 2, 5, 59, 60, 100):
        since = (now() - timedelta(days=days)).date()
        report = report_of(page, **{"period": "custom", "from": since.isoformat()})
        visits = Visit.objects.human().filter(started_at__date__gte=since)
        assert report.human.visits == visits.count()
        assert report.human.visitors == visits.values("anonymous_id").distinct().count()


def test_a_storm_of_machines_changes_no_human_figure(page, story, tell):  # noqa: F811
    before = report_of(page, period="all")
    for number in range(30):
        see(tell, f"bot{number}", "/start", number / 10, header=CRAWLER)
        see(tell, "kim", "/start", number, "?utm_source=spam", header=CRAWLER)
    work_off()
    after = report_of(page, period="all")
    assert (after.human, after.cohort, after.goals) == (before.human, before.cohort, before.goals)
    assert after.raw.visits > before.raw.visits


def test_files_and_odd_addresses(page, story):
    for name in ("traffic:csv", "traffic:visits_csv", "traffic:leads_csv"):
        answer = page.get(reverse(name), {"period": "all", "stage": "qualified"})
        lines = b"".join(answer.streaming_content).decode().splitlines()
        assert answer.status_code == 200 and len(lines) > 1
    for odd in ({"period": "x"}, {"channel": "moon"}, {"source": "\0"}, {"by": "'"}, {"from": "?"}):
        assert page.get(reverse("traffic:traffic"), odd).status_code == 200
    for odd in ({"after": "x~1"}, {"after": "2026-01-01T00:00:00Z~99999999999999999999"},
                {"figure": "?", "path": "\0"}, {"stage": "?"}):  # fmt: skip
        assert page.get(reverse("traffic:visits"), odd).status_code == 200
        assert page.get(reverse("traffic:leads"), odd).status_code == 200


def test_cells_of_nothing(page):
    assert page.get(reverse("traffic:traffic")).status_code == 200
    assert not TrafficCell.objects.exists()
    assert not ReturnCell.objects.exists() and not PageCell.objects.exists()


def test_a_long_list_is_read_once_in_few_queries(page, django_assert_num_queries):
    """Also where many visits began at the same instant, and the end of a batch falls among them."""
    begun = now() - timedelta(days=2)
    Visit.objects.bulk_create(
        Visit(anonymous_id=f"v{n}", started_at=begun + timedelta(seconds=n // 7), ended_at=begun,
              event_count=1, page_views=1, channel="direct")
        for n in range(700)
    )  # fmt: skip
    newest_first = list(Visit.objects.order_by("-started_at", "-pk").values_list("pk", flat=True))
    visits = Visit.objects.all()
    with django_assert_num_queries(8), CaptureQueriesContext(connection) as asked:
        found = [visit.pk for visit in lists.visits_in_batches(visits, size=99)]
    assert found == newest_first
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {asked.captured_queries[-1]['sql']}")
        plan = "\n".join(line for (line,) in cursor)
    assert "Index Cond: (started_at <=" in plan, plan  # a batch begins where the last one ended
    with CaptureQueriesContext(connection) as of_file:
        answer = page.get(reverse("traffic:visits_csv"), {"period": "all"})
        pieces = list(answer.streaming_content)
    assert len(b"".join(pieces).splitlines()) == 701
    assert len(pieces) < 5 and len(of_file) < 12
