"""The funnel page, its lists and its files, as people open them."""

from __future__ import annotations

import csv
import io
import re
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from leads.models import AuditEntry
from tests.insights.histories import at, fold, follow, tell

FUNNEL = "/funnel/"


@pytest.fixture
def leads(db) -> None:
    for number in range(1, 8):
        tell(f"lead 2026-05-0{number}", "qualified 2026-05-10", channel="email")
    tell("lead 2026-05-01", "disqualified 2026-05-02")
    tell("lead 2026-05-01", "qualified 2026-05-03", "mql 2026-05-04", "qualified 2026-05-09")
    fold()


@pytest.fixture
def page(client, mia):
    """Opens an address as the marketer."""
    client.force_login(mia)

    def open_page(url: str = FUNNEL, **headers: str):
        return client.get(url, headers=headers)

    return open_page


def rows_of(response) -> list[dict]:
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_an_empty_funnel_says_what_to_do(page):
    assert "No leads yet." in page().content.decode()


def test_every_link_of_a_figure_opens_a_list_of_that_many(page, leads):
    html = page(f"{FUNNEL}?period=all").content.decode()
    links = set(re.findall(r'<a class="count" href="([^"]+)">([\d,]+)</a>', html))
    assert len(links) > 25
    for url, shown in links:
        listed = page(url.replace("&amp;", "&")).content.decode()
        count = re.search(r'data-count="(\d+)"', listed)
        assert count and int(count.group(1)) == int(shown.replace(",", "")), url


def test_a_list_and_its_file_have_the_rows_that_the_figure_says(page, leads):
    query = "period=all&figure=reached&stage=qualified"
    listed = page(f"{FUNNEL}leads/?{query}")
    assert listed.context["count"] == len(listed.context["page"].stays) == 9
    rows = rows_of(page(f"{FUNNEL}leads.csv?{query}"))
    assert len(rows) == 9 and {row["Stage"] for row in rows} == {"qualified"}
    assert AuditEntry.objects.filter(verb="exported").count() == 1


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_pages_of_a_list_hold_every_row_once(page, leads, monkeypatch, order):
    monkeypatch.setattr("insights.drilldown.PAGE_SIZE", 3)
    monkeypatch.setattr("insights.drilldown.read_page.__defaults__", (3,))
    url = f"{FUNNEL}leads/?period=all&figure=reached&stage=lead&order={order}"
    seen = []
    while url:
        listed = page(url)
        seen += [(stay.entered_at, stay.lead_id, stay.seq) for stay in listed.context["page"].stays]
        after = listed.context["page"].after
        url = f"{FUNNEL}leads/?{listed.context['after_query']}" if after else ""
    assert len(seen) == len(set(seen)) == 9
    assert seen == sorted(seen, reverse=order == "newest")


def test_the_file_of_stages_has_the_same_figures(page, leads):
    lead, qualified, *_rest = rows_of(page(f"{FUNNEL}stages.csv?period=all"))
    assert (lead["Stage"], lead["Reached"], lead["Moved on in the window"]) == ("Lead", "9", "8")
    assert lead["Step conversion rate"] == "0.8889" and lead["disqualified"] == "1"
    assert qualified["Reached"] == "9" and qualified["Drop-off rate"] == "0.0"


def test_files_hold_no_formulas(page):
    tell("lead 2026-05-01", first_name="=1+1", company="@cmd", source="-2+3")
    fold()
    (row,) = rows_of(page(f"{FUNNEL}leads.csv?period=all&figure=now&stage=lead"))
    assert (row["First name"], row["Company"], row["Source"]) == ("'=1+1", "'@cmd", "'-2+3")


@pytest.mark.parametrize(
    "query",
    [
        "channel=%27%20OR%201%3D1--&source=%27%3BDROP%20TABLE%20x",
        "period=custom&from=0001-01-01&to=9999-12-31",
        "period=custom&from=9999-12-31",
        "period=custom&from=2026-02-30&to=x",
        "window=-1&horizon=999999999999999999999",
        "owner=99999999999999999999&country=%00",
        "source=%00&source=%ED%A0%80",
        "figure=now&stage=mql&order=entered_at%3B&after=2026-01-01T00:00:00Z~1~1",
        "figure=__class__&stage=%7B%7B1%7D%7D&after=9999-99-99~x~y",
        "figure=reached&stage=lead&after=0001-01-01T00:00:00%2B23:59~9223372036854775807~2",
        "figure=reached&stage=lead&after=2026-01-01~-1~99999999999",
    ],
)
@pytest.mark.parametrize("path", ["", "leads/", "reasons/", "stages.csv", "leads.csv"])
def test_nothing_in_an_address_breaks_a_page(page, leads, path, query):
    response = page(f"{FUNNEL}{path}?{query}")
    assert response.status_code == 200
    if response.streaming:
        list(response.streaming_content)


def test_what_is_not_understood_is_said(page, leads):
    html = page(f"{FUNNEL}?channel=carrier-pigeon").content.decode()
    assert "“carrier-pigeon” is not a channel; all channels are shown." in html
    html = page(f"{FUNNEL}leads/?figure=luck").content.decode()
    assert "“luck” is not a figure of the funnel" in html


def test_markup_in_a_source_stays_text(page):
    tell("lead 2026-05-01", source="<script>alert(1)</script>")
    fold()
    html = page(f"{FUNNEL}?source=%3Cscript%3Ealert(1)%3C/script%3E").content.decode()
    assert "<script>alert" not in html and "&lt;script&gt;alert" in html


def test_filters_stay_in_the_addresses_of_the_page(page, leads):
    html = page(f"{FUNNEL}?period=all&channel=email&window=30").content.decode()
    links = re.findall(r'<a class="count" href="([^"]+)"', html)
    assert links and all("channel=email" in link and "window=30" in link for link in links)


def test_htmx_gets_the_figures_only(page, leads):
    html = page(FUNNEL, HX_Request="true").content.decode()
    assert html.lstrip().startswith('<div id="figures"') and "<form" not in html


def test_every_figure_carries_its_definition(page, leads):
    html = page().content.decode()
    for name in re.findall(r'popovertarget="([^"]+)"', html):
        text = html.split(f'id="{name}"')[1].split("</div>")[0]
        assert "Unit:" in text and "As of" in text and "Europe/Berlin" in text


def test_the_page_needs_few_queries_whatever_it_shows(page, leads):
    counts = []
    for query in ("", "?period=all", "?channel=email", "?channel=email&country=DE"):
        with CaptureQueriesContext(connection) as queries:
            page(FUNNEL + query)
        counts.append(len(queries))
    assert max(counts) <= 20


def test_a_rep_counts_and_lists_own_leads_only(client, sam, sue):
    tell("lead 2026-05-01", owner=sam)
    tell("lead 2026-05-01", owner=sue, first_name="Secret")
    fold()
    client.force_login(sam)
    html = client.get(f"{FUNNEL}?period=all").content.decode()
    assert "only leads that you may see" in html and "Sue" not in html
    listed = client.get(f"{FUNNEL}leads/?period=all&figure=now&stage=lead")
    assert listed.context["count"] == 1 and "Secret" not in listed.content.decode()
    rows = rows_of(client.get(f"{FUNNEL}leads.csv?period=all&figure=now&stage=lead"))
    assert [row["Owner"] for row in rows] == ["Sam"]


@pytest.mark.parametrize("name", ["funnel", "reasons", "funnel_csv", "leads", "leads_csv"])
def test_who_has_no_role_sees_no_figure(client, viv, name):
    url = reverse(f"insights:{name}")
    assert urlsplit(client.get(url).url).path.endswith("/login/")
    client.force_login(viv)
    assert client.get(url).status_code == 403


def test_reasons_add_up_to_the_drop_off_and_open_their_leads(page):
    for reason in ("Bad timing: call in May", "Bad timing", "Unreachable", ""):
        lead = tell("lead 2026-05-01", "qualified 2026-05-02", "mql 2026-05-03")
        leave(lead, "recycled", reason)
    fold()
    response = page(f"{FUNNEL}reasons/?period=all&stage=mql")
    told = {reason.text: reason.stay_count for reason in response.context["reasons"]}
    assert told == {"Bad timing": 2, "Unreachable": 1, "": 1}
    assert response.context["total"] == sum(told.values())
    links = re.findall(r'<a class="count" href="([^"]+reason=[^"]+)">(\d+)</a>', text_of(response))
    assert len(links) == 3
    for url, shown in links:
        assert page(url.replace("&amp;", "&")).context["count"] == int(shown)


def leave(lead, kind: str, reason: str) -> None:
    episode = lead.episodes.create(
        seq=4,
        previous_seq=3,
        from_stage="mql",
        stage="qualified",
        entry_kind=kind,
        starts_cycle=True,
        cycle=2,
        entered_at=at("2026-05-09"),
        actor_kind="system",
        reason=reason,
    )
    follow(lead, episode)


def text_of(response) -> str:
    return response.content.decode()
