"""Signals and dictionaries in the admin: no JSON, clear sentences, nobody overwritten unawares."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.urls import reverse

from leads.models import AuditEntry
from scoring.models import IndustryWord, LegalForm, MailDomain, SharedMailbox, Signal, TitleWord
from tests.scoring.stories import some_lead, tell_events

pytestmark = pytest.mark.django_db
ADD = "admin:scoring_signal_add"
PLAIN = {
    "axis": "interest",
    "key": "docs",
    "label": "Read the documentation",
    "event_kind": "page_viewed",
    "frequency": "every",
    "max_count": "1",
    "period_days": "1",
}


def row(number: int, field: str, operator: str, value: str = "", name: str = "") -> dict[str, str]:
    parts = {"field": field, "operator": operator, "value": value, "name": name}
    return {f"conditions-{number}-{part}": text for part, text in parts.items()}


@pytest.fixture
def admin(client, ana):
    client.force_login(ana)
    return client


def page_of(answer) -> str:
    return unescape(answer.content.decode())


def test_a_signal_is_written_with_drop_downs(admin):
    rows = row(0, "interest:path", "matches", "/docs/*\n/help/*")
    rows |= row(1, "interest:properties.", "between", "2\n9.5", name="depth")
    rows |= row(2, "interest:asset", "is_known")
    assert admin.post(reverse(ADD), PLAIN | rows).status_code == 302
    signal = Signal.objects.get(key="docs")
    assert signal.conditions == [
        {"field": "path", "operator": "matches", "value": ["/docs/*", "/help/*"]},
        {"field": "properties.depth", "operator": "between", "value": [2, 9.5]},
        {"field": "asset", "operator": "is_known"},
    ]
    page = page_of(admin.get(reverse("admin:scoring_signal_change", args=[signal.pk])))
    assert "path matches “/docs/*”, “/help/*” and depth is between 2 and 9.5 and file is" in page
    assert '<option value="interest:properties." selected>' in page and "/help/*</textarea>" in page
    assert '"field"' not in page  # no JSON


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (row(0, "interest:path", "", "x"), "Condition 1: choose what to ask of the field."),
        (row(0, "", "is", "x"), "Condition 1: choose a field."),
        (row(0, "fit:country", "is", "DE"), "Condition 1: this field belongs to the axis “Fit”."),
        (row(0, "interest:path", "is", "x\ny"), "Condition 1: write one value."),
        (row(0, "interest:path", "between", "x"), "write the range in two lines, from and to."),
        (row(0, "interest:path", "between", "9\n1"), "the range is upside down"),
        (row(0, "interest:path", "at_least", "1e999"), "the value must be a number"),
        (row(0, "interest:path", "at_least", "nan"), "the value must be a number"),
        (row(0, "interest:path", "is_known", "x"), "this question takes no value."),
        (row(0, "interest:properties.", "is", "x"), "say which one"),
        (row(0, "interest:properties.", "is", "x", name="a'b"), "There is no field"),
        (row(0, "interest:path", "is", "/a") | row(1, "interest:path", "is", "/b"),
         "These two can never both hold: path is “/a”; path is “/b”."),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_at_the_field_and_stays_typed(admin, rows, sentence):
    answer = admin.post(reverse(ADD), PLAIN | rows)
    assert answer.status_code == 200 and not Signal.objects.filter(key="docs").exists()
    errors = " ".join(answer.context["adminform"].form.errors["conditions"])
    assert sentence in errors
    assert f">\n{rows['conditions-0-value']}</textarea>" in page_of(answer)


def test_a_field_of_the_other_axis_is_shown_again_as_chosen(admin):
    answer = admin.post(reverse(ADD), PLAIN | {"axis": "fit"} | row(0, "fit:title", "is", ""))
    assert '<option value="fit:title" selected>' in page_of(answer)


def test_two_signals_that_say_the_very_same(admin):
    rows = row(0, "interest:path", "contains", "/docs")
    admin.post(reverse(ADD), PLAIN | rows)
    answer = admin.post(reverse(ADD), PLAIN | rows | {"key": "docs2", "label": "Docs"}, follow=True)
    assert "“Read the documentation” counts the very same: one of the two" in page_of(answer)


def test_an_event_kind_that_never_came_is_saved_with_a_warning(admin):
    page = page_of(admin.post(reverse(ADD), PLAIN | {"event_kind": "page_veiwed"}, follow=True))
    assert Signal.objects.get(key="docs").event_kind == "page_veiwed"
    assert "is of the kind “page_veiwed”" in page and "page_viewed" in page
    tell_events(some_lead(), "page_viewed 1d ago")
    page = page_of(admin.post(reverse(ADD), PLAIN | {"key": "docs2"}, follow=True))
    assert Signal.objects.filter(key="docs2").exists() and "of the kind" not in page


def test_who_saves_second_is_told_and_loses_nothing(admin):
    admin.post(reverse(ADD), PLAIN | row(0, "interest:path", "contains", "/docs"))
    signal = Signal.objects.get(key="docs")
    url = reverse("admin:scoring_signal_change", args=[signal.pk])
    shown = re.search(r'name="shown" value="(\w+)"', page_of(admin.get(url)))[1]
    mine = PLAIN | row(0, "interest:path", "contains", "/mine") | {"shown": shown}
    theirs = PLAIN | row(0, "interest:path", "contains", "/theirs") | {"shown": shown}
    assert admin.post(url, theirs).status_code == 302
    answer = admin.post(url, mine)
    page = page_of(answer)
    assert "somebody else changed this meanwhile. It now says: Event “Page viewed” where" in page
    assert "/theirs" in page and "/mine</textarea>" in page
    signal.refresh_from_db()
    assert signal.conditions[0]["value"] == ["/theirs"]
    again = re.search(r'name="shown" value="(\w+)"', page)[1]
    assert again != shown
    assert admin.post(url, mine | {"shown": again}).status_code == 302
    signal.refresh_from_db()
    assert signal.conditions[0]["value"] == ["/mine"]
    assert admin.post(url, mine | {"shown": ""}).status_code == 200  # unseen, so refused


def test_a_signal_in_use_is_shown_only(admin):
    signal = Signal.objects.get(key="pricing_page")
    url = reverse("admin:scoring_signal_change", args=[signal.pk])
    page = page_of(admin.get(url))
    assert "at most twice a day; halves every 21 days." in page and 'name="_save"' not in page
    assert admin.post(url, PLAIN).status_code == 403


@pytest.mark.parametrize(
    ("model", "form", "field", "sentence"),
    [
        (TitleWord, {"word": "Poobah"}, "seniority", "Say what the word stands for."),
        (TitleWord, {"word": "CEO", "seniority": "manager"}, "word", "already exists"),
        (TitleWord, {"word": " – ", "seniority": "manager"}, "word", "letters or digits"),
        (IndustryWord, {"word": "Automotive", "industry": "Cars"}, "word", "already exists"),
        (IndustryWord, {"word": "motors", "industry": "Cars"}, "industry",
         "“Cars” would then stand for “Automotive”: entries must not lead on to each other."),
        (IndustryWord, {"word": "beverage", "industry": "Drinks"}, "industry", ""),
        (LegalForm, {"word": "., "}, "word", "letters or digits"),
        (SharedMailbox, {"word": "INFO"}, "word", "already exists"),
        (MailDomain, {"domain": "gmail.com", "kind": "free"}, "domain", "already exists"),
        (MailDomain, {"domain": "a@b.c", "kind": "free"}, "domain", "Write a domain"),
    ],
)  # fmt: skip
def test_entries_that_make_no_sense(admin, model, form, field, sentence):
    count = model.objects.count()
    answer = admin.post(reverse(f"admin:scoring_{model._meta.model_name}_add"), form)
    if not sentence:
        assert answer.status_code == 302
        return
    assert sentence in " ".join(answer.context["adminform"].form.errors[field])
    assert model.objects.count() == count


def test_entries_are_kept_in_lower_case_and_audited(admin):
    add = reverse("admin:scoring_titleword_add")
    answer = admin.post(add, {"word": "  Grand  POOBAH ", "seniority": "executive"}, follow=True)
    assert "all leads are matched and scored again" in page_of(answer)
    entry = TitleWord.objects.get(word="grand poobah")
    url = reverse("admin:scoring_titleword_change", args=[entry.pk])
    page = page_of(admin.get(url))
    shown = re.search(r'name="shown" value="(\w+)"', page)[1]
    form = {"word": "poobah", "seniority": "manager", "department": "", "shown": shown}
    assert admin.post(url, form).status_code == 302
    assert "somebody else changed this" in page_of(admin.post(url, form))
    admin.post(reverse("admin:scoring_titleword_delete", args=[entry.pk]), {"post": "yes"})
    verbs = AuditEntry.objects.filter(object_kind="titleword").values_list("verb", flat=True)
    assert sorted(verbs) == ["added", "deleted", "edited"]


def test_a_listed_mail_domain_is_overruled_not_deleted(admin):
    url = reverse("admin:scoring_maildomain_change", args=["gmail.com"])
    shown = re.search(r'name="shown" value="(\w+)"', page_of(admin.get(url)))[1]
    assert admin.post(url, {"kind": "corporate", "shown": shown}).status_code == 302
    domain = MailDomain.objects.get(pk="gmail.com")
    assert domain.kind == "corporate" and not domain.is_listed
    delete = reverse("admin:scoring_maildomain_delete", args=["gmx.de"])
    assert admin.post(delete, {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("name", ["titleword", "industryword", "legalform", "sharedmailbox"])
def test_the_dictionaries_open(admin, name):
    page = page_of(admin.get(reverse(f"admin:scoring_{name}_changelist")))
    assert "results" in page or "paginator" in page
