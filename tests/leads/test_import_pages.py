"""The pages of an import, through the browser's door."""

from __future__ import annotations

import csv
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from leads import importing
from leads.import_models import Import
from leads.models import CustomField, Lead
from leads.stages import Stage
from tests.import_steps import check, run, upload, work

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(client, mia):
    client.force_login(mia)
    return client


def send(browser, content: str | bytes, name: str = "people.csv"):
    data = content.encode() if isinstance(content, str) else content
    return browser.post(reverse("imports:list"), {"file": SimpleUploadedFile(name, data)})


def page(name: str, job: Import) -> str:
    return reverse(f"imports:{name}", args=[job.pk])


def answers(browser, job: Import, **changes) -> dict:
    """The mapping form as the page shows it, filled in, with some answers changed."""
    form = browser.get(page("mapping", job)).context["form"]
    filled = {bound.html_name: bound.value() for bound in form if bound.value() is not None}
    return filled | changes


def only_job() -> Import:
    return Import.objects.get()


def test_a_file_walks_from_upload_to_leads(browser):
    response = send(browser, "Email,First Name,Shoe\nkim@acme.example,Kim,43\nbad,Kai,41\n")
    job = only_job()
    assert (response.status_code, response.url) == (303, page("mapping", job))
    shown = browser.get(page("mapping", job)).content.decode()
    assert "Shoe" in shown
    assert "kim@acme.example" in shown
    filled = answers(browser, job, to_2_0="new")
    fragment = browser.post(page("mapping", job), filled, headers={"hx-request": "true"})
    assert fragment.status_code == 200
    assert b"<html" not in fragment.content
    filled = answers(browser, job, label_2_0="Shoe size", kind_2_0="number")
    assert browser.post(page("mapping", job), filled | {"check": "1"}).status_code == 303
    assert "every 1s" in browser.get(page("import", job)).content.decode()
    assert "0 of 2 rows" in browser.get(page("import", job)).content.decode()
    work()
    shown = browser.get(page("import", job)).content.decode()
    assert "Import 2 rows" in shown
    assert "“bad” is not an e-mail address." in shown
    assert not Lead.objects.exists()
    assert browser.post(page("run", job)).status_code == 303
    work()
    lead = Lead.objects.get()
    assert (lead.first_name, lead.custom) == ("Kim", {"shoe": 43})
    assert CustomField.objects.get(key="shoe").label == "Shoe size"
    assert "Imported" in browser.get(page("import", job)).content.decode()
    assert "people.csv" in browser.get(reverse("imports:list")).content.decode()


def test_an_ambiguous_order_of_dates_is_asked_for_and_never_guessed(browser):
    send(browser, "record id,became a customer date\n1,03/04/2018\n2,05/06/2018\n")
    job = only_job()
    question = "The dates of this file can be read in more than one way."
    assert question in browser.get(page("mapping", job)).content.decode()
    refused = browser.post(page("mapping", job), answers(browser, job, check="1"))
    assert (refused.status_code, question in refused.content.decode()) == (422, True)
    filled = answers(browser, job, check="1", date_order="mdy")
    assert browser.post(page("mapping", job), filled).status_code == 303
    work()
    browser.post(page("run", job))
    work()
    entered = Lead.objects.get(external_ids__value="1").stage_entered_at
    assert f"{entered:%Y-%m-%d}" == "2018-03-03"  # midnight in Berlin


def test_an_order_that_the_whole_file_settles_is_said_and_not_asked(browser):
    send(browser, "record id,became a customer date\n1,03/04/2018\n2,05/16/2018\n")
    shown = browser.get(page("mapping", only_job())).content.decode()
    assert "Dates are read as month – day – year" in shown
    assert 'name="date_order"' not in shown


def test_an_order_that_does_not_fit_is_refused(browser):
    send(browser, "record id,became a customer date\n1,25-10-16\n")
    job = only_job()
    filled = answers(browser, job, check="1", date_order="mdy")
    refused = browser.post(page("mapping", job), filled)
    assert refused.status_code == 422
    assert "do not fit the order month – day – year" in refused.content.decode()


def test_values_of_a_stage_column_are_mapped_in_the_page(browser):
    send(browser, "record id,Status\n1,Hot\n2,Cold\n3,Won\n")
    job = only_job()
    form = browser.get(page("mapping", job)).context["form"]
    names = {b.label: b.html_name for b in form if b.html_name.startswith("value_1_0_")}
    assert set(names) == {"Hot", "Cold", "Won"}
    filled = answers(browser, job, check="1", **{names["Hot"]: "mql", names["Cold"]: "ignore"})
    browser.post(page("mapping", job), filled)
    work()
    browser.post(page("run", job))
    work()
    stages = dict(Lead.objects.values_list("external_ids__value", "stage"))
    assert stages == {"1": Stage.MQL, "2": Stage.LEAD, "3": Stage.CUSTOMER}


def test_a_column_can_be_used_twice_and_a_value_given_to_all(browser):
    send(browser, "email,origin\na@b.example,google\n")
    job = only_job()
    filled = answers(browser, job, to_1_0="source", constant_campaign="Spring")
    browser.post(page("mapping", job), filled)
    again = browser.post(page("mapping", job), filled | {"again": "1"})
    assert "to_1_1" in again.context["form"].fields
    browser.post(page("mapping", job), filled | {"to_1_1": "channel"})
    uses = {(use.column, use.to) for use in importing.mapping_of(only_job()).uses}
    assert uses == {(0, "email"), (1, "source"), (1, "channel")}
    run(only_job())
    lead = Lead.objects.get()
    assert (lead.source, lead.channel, lead.campaign) == ("google", "organic_search", "Spring")


def test_another_beginning_can_be_chosen(browser):
    send(browser, "account,sector,revenue,employees\nAcme,it,1,2\n")
    job = only_job()
    assert (job.preset, job.target) == ("companies", "accounts")
    browser.post(page("beginning", job), {"begin_with": "target:leads"})
    assert (only_job().preset, only_job().target) == ("", "leads")
    browser.post(page("beginning", job), {"begin_with": "preset:companies"})
    assert (only_job().preset, only_job().target) == ("companies", "accounts")
    browser.post(page("beginning", job), {"begin_with": "preset:nonsense"})
    assert only_job().preset == "companies"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"PK\x03\x04zip", "This is a ZIP or Excel file."),
        (bytes(range(256)) * 9, "This is a binary file, not a table."),
        (b",".join(b"c%d" % n for n in range(5000)) + b"\n1", "at most 300 can be imported"),
        (b"email\na@b.example," + b"x" * 9_000_000, "is far too long"),
        (b"x" * (20 * 1024 * 1024 + 1), "larger than 20 MB"),
    ],
    ids=["empty", "zip", "binary", "wide", "long cell", "large"],
)
def test_a_file_that_is_none_is_refused_on_the_page(browser, content, sentence):
    response = send(browser, content)
    assert (response.status_code, Import.objects.count()) == (422, 0)
    assert sentence in response.content.decode()


def test_what_a_file_holds_is_shown_as_text_and_never_run(browser):
    attack = "<script>alert(1)</script>"
    send(
        browser, f"email,{attack}\n{attack}@x,{attack}\nok@acme.example,{attack}\n", f"{attack}.csv"
    )
    job = only_job()
    filled = answers(browser, job, to_1_0="company")
    pages = [browser.post(page("mapping", job), filled), browser.get(page("mapping", job))]
    run(only_job())
    pages += [browser.get(page("import", job)), browser.get(reverse("imports:list"))]
    pages += [browser.get(reverse("leads:lead", args=[Lead.objects.get().pk]))]
    for response in pages:
        assert response.status_code == 200
        assert b"<script>alert" not in response.content


def test_the_report_of_a_file_with_any_name_can_be_saved(browser, mia):
    job = upload("email\nnobody\n", mia, name='평가 "x"; a.csv')
    check(job)
    offered = browser.get(page("report", job))["Content-Disposition"]
    assert offered.startswith("attachment; filename*=utf-8''") and offered.endswith("-report.csv")


def test_the_report_has_each_row_as_it_came_and_why_and_no_formula(browser, mia):
    job = upload(
        "email,first name,phone\n=1+1,\"=cmd|'/C calc'!A0\",+49 1\nok@acme.example,Kim,2\n"
        "\uff1dsum@,\t@x,3,,surplus\n",
        mia,
    )
    check(job)
    response = browser.get(page("report", job))
    assert "people-report.csv" in response["Content-Disposition"]
    text = b"".join(response.streaming_content).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    own = ["Import row", "Import line", "Import result", "Import problems"]
    assert rows[0] == ["email", "first name", "phone", *own]
    assert rows[1][:3] == ["'=1+1", "'=cmd|'/C calc'!A0", "'+49 1"]
    assert rows[1][3:6] == ["1", "2", "left out"]
    assert rows[1][6] == "“=1+1” is not an e-mail address."
    assert "5 cells where the header has 3" in rows[2][6]
    assert rows[2][7:] == ["", "surplus"], "what is too much stands behind"
    assert not any(re.match(r"\s*[=+\-@＝＋－＠]", cell) for row in rows for cell in row)
    # Corrected and uploaded again, it maps like the file it came from.
    again = upload(text.replace("'=1+1", "one@acme.example"), mia, "again.csv")
    assert [use.to for use in importing.mapping_of(again).uses] == ["email", "first_name", "phone"]
    assert check(again)["created"] == 1


def test_what_is_only_for_information_hides_no_problem(browser, mia):
    rows = "".join(f"p{n}@b.example,Nobody Here,{'x' * 60 if n > 150 else 1}\n" for n in range(160))
    job = upload("email,owner,phone\n" + rows, mia)
    tally = run(job)
    assert tally["notes"] == {"unknown_owner": 160, "too_long": 9}
    problems = browser.get(page("import", job)).context["problems"]
    assert [problem.number for problem in problems] == list(range(152, 161))


@pytest.mark.parametrize("persona", ["sam", "mona", "viv"])
def test_only_marketers_and_admins_import(client, mia, persona, request):
    job = upload("email,phone\na@b.example,1\n", mia)
    client.force_login(request.getfixturevalue(persona))
    names = ("import", "mapping", "report")
    assert {client.get(page(name, job)).status_code for name in names} == {403}
    verbs = ("beginning", "check", "run", "cancellation", "next_attempt")
    assert {client.post(page(name, job)).status_code for name in verbs} == {403}
    assert client.get(reverse("imports:list")).status_code == 403


def test_everybody_who_imports_sees_the_history_of_all(client, mia, ana):
    job = upload("email,phone\na@b.example,1\n", mia)
    client.force_login(ana)
    assert "Mia" in client.get(reverse("imports:list")).content.decode()
    assert client.get(page("mapping", job)).status_code == 200
    assert client.get(reverse("imports:import", args=[0])).status_code == 404


def test_a_refusal_is_shown_where_it_was_asked(browser, mia):
    job = upload("email,phone\na@b.example,1\n", mia)
    response = browser.post(page("run", job))
    assert response.status_code == 422
    assert "Check the file first" in response.content.decode()


def test_the_list_stays_quick(browser, mia, django_assert_max_num_queries):
    for _each in range(3):
        upload("email,phone\na@b.example,1\n", mia)
    with django_assert_max_num_queries(12):
        browser.get(reverse("imports:list"))
    with django_assert_max_num_queries(20):
        browser.get(page("mapping", Import.objects.first()))
