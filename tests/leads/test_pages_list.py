"""The list of leads as a page and as a file; accounts."""

from __future__ import annotations

import csv
import io

import pytest
from django.test import Client

from leads.csv_cells import safe_cell
from leads.editing import account_named
from leads.models import Account, AuditEntry, Lead
from tests.leads.people import make_lead


def as_(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_an_empty_list_says_what_to_do(mia):
    assert "No leads yet." in as_(mia).get("/leads/").content.decode()
    make_lead(first_name="Anna")
    assert "No lead matches." in as_(mia).get("/leads/?q=zzz").content.decode()


def test_the_list_shows_and_counts_what_the_filter_leaves(mia):
    make_lead(first_name="Anna", channel="event")
    make_lead(first_name="Ben")
    page = as_(mia).get("/leads/?channel=event&sort=name").content.decode()
    assert "Anna" in page and "Ben" not in page and "1 lead" in page


def test_htmx_gets_the_table_alone(mia):
    make_lead(first_name="Anna")
    page = as_(mia).get("/leads/", headers={"HX-Request": "true"}).content.decode()
    assert "Anna" in page and "<html" not in page


@pytest.mark.parametrize(
    "query",
    [
        "stage=hero&channel=x&sort=drop%20table",
        "owner=abc&team=99999999999999999999&country=%00",
        "score_min=NaN&score_max=1e999",
        "entered_from=yesterday&reached=<b>",
        "after=-1&before=%27",
        "after=99999999999999999999999",
        "q=%00%F0%9F%92%A9'\"\\",
        "account=1%20OR%201=1",
        "page=7&q=" + "x" * 5_000,
    ],
)
def test_odd_addresses_never_break_the_list(mia, query):
    make_lead(first_name="Anna")
    for url in ("/leads/", "/accounts/"):
        assert as_(mia).get(f"{url}?{query}").status_code == 200


def read_export(user, query: str = "") -> list[dict]:
    response = as_(user).get(f"/leads/export.csv{query}")
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    content = b"".join(response.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(content)))


def test_an_export_holds_the_filtered_leads_that_one_may_see(sam, sue, mia):
    make_lead(first_name="Sams", owner=sam, source='a,b"c\nd')
    make_lead(first_name="Sues", owner=sue)
    assert [row["First name"] for row in read_export(mia)] == ["Sams", "Sues"]
    rows = read_export(sam, "?q=s")
    assert [(row["First name"], row["Source"]) for row in rows] == [("Sams", 'a,b"c\nd')]
    entry = AuditEntry.objects.filter(verb="exported").first()
    assert (entry.actor, entry.changes) == (sam, {"filter": {"q": "s"}})


@pytest.mark.parametrize(
    "formula",
    [
        "=1+1",
        "+1",
        "-1+2",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "  =1",
        "＝1+1",
        "\u3000＝1",
        "\ufeff=1",
        "\u200b \ufeff+1",
    ],
)
def test_no_cell_is_a_formula(formula):
    assert safe_cell(formula) == f"'{formula}"


@pytest.mark.parametrize("plain", ["", "Anna", "3 = 3", "a@b.example", -5, 1.5, None, True])
def test_plain_cells_stay_plain(plain):
    assert not safe_cell(plain).startswith("'")


def test_a_formula_in_a_name_leaves_the_house_harmless(mia):
    make_lead(first_name='=HYPERLINK("http://evil.example")')
    assert read_export(mia)[0]["First name"].startswith("'=")


# --- Accounts -----------------------------------------------------------------


@pytest.fixture
def acme(sam) -> Account:
    account = account_named("Acme")
    make_lead(first_name="Sams", owner=sam, stage="sal")
    make_lead(first_name="Other", stage="disqualified")
    Lead.objects.update(account=account)
    account_named("Globex")
    return account


def test_accounts_count_the_people_one_sees(acme, mia, sam):
    found = {
        str(user): [
            (a.name, a.people_count, a.open_count)
            for a in as_(user).get("/accounts/").context["page"].rows
        ]
        for user in (mia, sam)
    }
    assert found == {"Mia": [("Acme", 2, 1), ("Globex", 0, 0)], "Sam": [("Acme", 1, 1)]}


def test_an_account_says_who_is_missing(acme, sam):
    from leads.actors import Actor
    from leads.buying_roles import add_role

    add_role(Lead.objects.get(owner=sam).pk, "champion", by=Actor.of(sam))
    context = as_(sam).get(f"/accounts/{acme.pk}/").context
    assert [person.first_name for person in context["people"]] == ["Sams"]
    assert "Champion" not in context["missing_roles"]
    assert "Decision maker" in context["missing_roles"]


def test_suggestions_name_visible_accounts_only(acme, mia, sam):
    def ask(user, text: str) -> list[str]:
        return list(as_(user).get(f"/accounts/suggestions/?company={text}").context["names"])

    assert ask(mia, "gl") == ["Globex"]
    assert ask(sam, "gl") == []
    assert ask(mia, "") == []


def test_the_filters_of_a_rep_name_nothing_of_other_teams(sam, sue, mia):
    make_lead(first_name="Anna", owner=sam, source="expo", country="KR")
    make_lead(first_name="Ben", owner=sue, source="secret fair", country="DE")
    assert "secret fair" in as_(mia).get("/leads/").content.decode()
    page = as_(sam).get("/leads/").content.decode()
    assert "expo" in page and "South Korea" in page
    assert "secret fair" not in page and "Germany" not in page
