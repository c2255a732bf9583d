"""What words mean is rows: read alike in SQL and in Python, and an edit matches all leads again."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leads.models import Account, AuditEntry
from scoring import dictionaries, meanings, publishing, reading_words, rescore, rewording, verifying
from scoring.conditions import Parameters
from scoring.matching import LEAD_TABLES
from scoring.models import (
    FieldMatch,
    LegalForm,
    MailDomain,
    ModelVersion,
    Rewording,
    Rule,
    SharedMailbox,
    Signal,
    TitleWord,
)
from scoring.vocabulary import find_field
from tests.scoring.stories import enforce, good_fit_lead, settle, some_lead, standing_of

pytestmark = pytest.mark.django_db
NAMES = ("seniority", "department", "canonical_industry", "company_name")


def all_words() -> meanings.Words:
    return dictionaries.read(meanings.MEANINGS, with_mail=True)


@pytest.mark.parametrize(
    ("title", "seniority", "department"),
    [
        ("Vice President Marketing", "vice_president", "marketing"),
        ("CEO & Sales Manager", "executive", "management"),
        ("Assistant to the CEO", "assistant", "management"),
        ("Head of IT", "director", "it"),
        ("영업부 과장", "manager", "sales"),
        ("대표이사", "executive", "management"),
        ("구매팀 대리", "specialist", "procurement"),
        ("연구소 이사", "director", "engineering"),
        ("International Internist", None, None),
        ("GESCHÄFTSFÜHRER", "executive", "management"),
        ("Owner", "executive", None),
        ("Co-Owner", "executive", "management"),
        ("Senior Product Owner", "specialist", None),
        ("Chief Engineer", "manager", "engineering"),
        ("Sales Engineer, Partner Manager", "specialist", "sales"),
        ("Managing Partner", "executive", None),
        ("Partner", None, None),
        ("Gerente de Negócio", None, None),
        ("주차장 관리", "specialist", None),
        ("주차장관리", None, None),
        ("이사회 간사", None, None),
        ("IT팀장님", "manager", "it"),
        ("영업차장", "manager", "sales"),
        ("부장(영업)", "manager", "sales"),
        ("인턴사원", "learner", None),
        ("", None, None),
    ],
)
def test_titles(title, seniority, department):
    words = all_words()
    assert meanings.seniority_of(title, words) == seniority
    assert meanings.department_of(title, words) == department


@pytest.mark.parametrize(
    ("company", "name"),
    [
        ("주식회사 한빛", "한빛"),
        ("(주)한빛", "한빛"),
        ("㈜ 한빛", "한빛"),
        ("한빛 Co., Ltd.", "한빛"),
        ("유한회사 한빛", "한빛"),
        ("ACME GmbH & Co. KG", "acme"),
        ("Acme, Inc.", "acme"),
        ("Inc. Magazine", "inc magazine"),
        ("Incorta", "incorta"),
        ("GmbH", None),
    ],
)
def test_companies_without_their_legal_form(company, name):
    assert meanings.bare_company(company, all_words()) == name


@pytest.mark.parametrize(
    ("email", "kind"),
    [
        ("info@acme.example", "role"),
        ("sales+fair@acme.example", "role"),
        ("info@gmail.com", "free"),
        ("kim@mailinator.com", "disposable"),
        ("kim@acme.example", "corporate"),
        ("", None),
    ],
)
def test_kinds_of_addresses(email, kind):
    assert meanings.mail_kind_of(email, all_words()) == kind
    if email:
        assert known_of(some_lead(email), "email_type") == kind


def known_of(lead, name: str) -> object:
    """The value of a field as conditions see it in SQL."""
    parameters = Parameters(lead_id=lead.pk)
    extra = reading_words.joins([name], "= %(lead_id)s", dictionaries.read([name]), parameters)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {find_field(name, 'fit').sql} {LEAD_TABLES}{extra} WHERE l.id = %(lead_id)s",
            parameters.values,
        )
        return cursor.fetchone()[0]


PIECES = (
    "CEO|vice president|president|이사|대표이사|assistant to|of|r&d|(주)|co.|Ltd|gmbh|cars|한빛|x|"
    "GESCHÄFTSFÜHRER|product owner|주차장|차장|팀장|님|IT|팀|é|É|ΑΓΟΡΆ|Я|cio"
)
pieces = st.sampled_from([*PIECES.split("|"), "자동차 부품", *" -,/İẞß(\\*\u200d", "  "])


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(pieces, st.sampled_from(["", " "])), max_size=8))
def test_sql_and_python_read_alike(db, parts):
    text = "".join(piece + gap for piece, gap in parts)[:100]
    words = all_words()
    for name in NAMES:
        parameters = Parameters(text=text)
        meaning = reading_words._meaning(name, words, parameters)
        tidied = reading_words.tidied("%(text)s")
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT {meaning} FROM (SELECT {tidied} AS text) texts", parameters.values
            )
            assert cursor.fetchone()[0] == meanings.MEANINGS[name](text, words), (name, text)


def test_an_update_changes_only_what_nobody_touched():
    migration = import_module("scoring.migrations.0013_titles_judge_fewer_people_high")
    for word in ("product owner", "co-owner", "business partner"):
        TitleWord.objects.get(word=word).delete()
    TitleWord.objects.create(word="partner", seniority="director")  # an admin's own
    TitleWord.objects.create(word="business partner", seniority="manager")
    TitleWord.objects.create(word="grÜnder", seniority="executive")
    TitleWord.objects.create(word="größe", seniority="manager")
    TitleWord.objects.create(word="grÖße", seniority="director")
    migration.renew_titles(apps, None)
    migration.tidy_again(apps, None)
    meant = dict(TitleWord.objects.values_list("word", "seniority"))
    assert meant["product owner"] == "specialist" and meant["co-owner"] == "executive"
    assert meant["partner"] == "director" and meant["business partner"] == "manager"
    assert meant["gründer"] == "executive" and meant["größe"] == "manager"
    assert "grÖße" not in meant
    entries = AuditEntry.objects.filter(object_kind="titleword")
    assert [entry.verb for entry in entries] == ["renewed"]
    migration.renew_titles(apps, None)
    assert entries.count() == 1  # nothing was left to change


def test_after_an_update_leads_are_matched_again(executive_rule):
    migration = import_module("scoring.migrations.0013_titles_judge_fewer_people_high")
    with connection.cursor() as cursor:
        cursor.execute(migration.LOOK_AGAIN)
        assert not Rewording.objects.exists()  # there is nobody to match
        lead = some_lead(title="GESCHÄFTSFÜHRERIN")
        cursor.execute(migration.LOOK_AGAIN)
    assert Rewording.objects.get().signal_ids == [executive_rule.pk]
    everything_done()
    settle()
    assert standing_of(lead).fit == 30 and verifying.verify() == []


def test_an_update_takes_away_what_came_with_the_product():
    migration = import_module("scoring.migrations.0013_titles_judge_fewer_people_high")
    TitleWord.objects.create(word="partner", seniority="executive")
    TitleWord.objects.filter(word="owner").update(department="management")
    migration.renew_titles(apps, None)
    assert not TitleWord.objects.filter(word="partner").exists()
    assert TitleWord.objects.get(word="owner").department == ""


def test_other_questions_than_equality_know_capitals_too():
    condition = {"field": "company_name", "operator": "contains", "value": "MÜLLER"}
    Signal.objects.create(
        axis="fit", key="mueller", label="Müller", conditions=[condition], ordinal=83
    )
    lead = good_fit_lead(company="Müller GmbH")
    settle()
    assert FieldMatch.objects.filter(lead=lead, signal__key="mueller", until=None).exists()
    assert verifying.matches_against_fields([lead.pk]) == []


def test_without_entries_nothing_is_known():
    nothing = meanings.Words()
    assert meanings.seniority_of("CEO", nothing) is None
    assert meanings.bare_company("Acme GmbH", nothing) == "acme gmbh"
    lead = some_lead(title="CEO")
    TitleWord.objects.all().delete()
    assert known_of(lead, "seniority") is None


@pytest.fixture
def executive_rule():
    """A published model that weighs the seniority “leads the company”."""
    condition = {"field": "seniority", "operator": "is", "value": "executive"}
    signal = Signal.objects.create(
        axis="fit", key="executive", label="Executive", conditions=[condition], ordinal=80
    )
    version = ModelVersion.objects.get(state="active")
    draft = ModelVersion.objects.create(
        number=2, threshold=60, fit_cut=20, interest_cut=25, based_on=version
    )
    Rule.objects.create(version=draft, signal=signal, points=30)
    interest = Signal.objects.filter(axis="interest").first()
    Rule.objects.create(version=draft, signal=interest, points=1)
    ModelVersion.objects.filter(pk=version.pk).update(state="retired")
    enforce(draft)
    rescore.rebuild()
    return signal


def everything_done() -> None:
    while publishing.drain() or rewording.drain():
        pass


def test_a_new_word_matches_all_leads_again_and_keeps_history(executive_rule):
    lead = some_lead(title="Grand Poobah")
    settle()
    assert standing_of(lead).fit == 0
    entry = TitleWord(word="poobah", seniority="executive")
    dictionaries.write_entry(entry, is_new=True)
    executive_rule.refresh_from_db()
    assert executive_rule.counted_at is None and Rewording.objects.count() == 1
    assert verifying.verify() == []  # half-way, the books still balance
    everything_done()
    assert standing_of(lead).fit == 30 and not Rewording.objects.exists()
    match = FieldMatch.objects.get(lead=lead, signal=executive_rule)
    assert match.until is None and match.since > lead.created_at
    dictionaries.remove_entry(entry)
    everything_done()
    assert standing_of(lead).fit == 0
    match.refresh_from_db()
    assert match.until is not None
    assert verifying.verify() == []


def test_a_fold_after_the_edit_already_knows_the_word(executive_rule):
    dictionaries.write_entry(TitleWord(word="poobah", seniority="executive"), is_new=True)
    lead = some_lead(title="Poobah")
    settle()
    assert standing_of(lead).fit == 30


def test_conditions_ask_in_their_own_words(executive_rule):
    condition = {"field": "company_name", "operator": "is", "value": "Hanbit GmbH"}
    cars = {"field": "canonical_industry", "operator": "is", "value": "cars"}
    Signal.objects.create(
        axis="fit", key="hanbit", label="Hanbit", conditions=[condition], ordinal=81
    )
    Signal.objects.create(axis="fit", key="cars", label="Cars", conditions=[cars], ordinal=82)
    lead = good_fit_lead(company="HANBIT Co., Ltd.")
    other = some_lead()
    settle()
    held = FieldMatch.objects.filter(lead=lead, until=None).values_list("signal__key", flat=True)
    assert {"hanbit", "cars", "executive"} <= set(held)
    keys = FieldMatch.objects.filter(lead=other).values_list("signal__key", flat=True)
    assert not {"hanbit", "cars", "executive"} & set(keys)


def test_the_proof_does_not_trust_the_sql_that_matched(executive_rule):
    lead = some_lead(title="CEO")
    settle()
    assert verifying.matches_against_fields([lead.pk]) == []
    FieldMatch.objects.filter(lead=lead, signal=executive_rule).delete()
    found = verifying.matches_against_fields([lead.pk])
    assert [discrepancy.check for discrepancy in found] == ["matches ≠ fields"]


def test_mail_domains_are_kept_up_and_what_admins_wrote_stays():
    ours = MailDomain.objects.get(pk="gmail.com")
    ours.kind = "corporate"
    dictionaries.write_entry(ours, is_new=False)
    MailDomain.objects.filter(pk="mailinator.com").delete()
    MailDomain.objects.create(domain="no-longer.example", kind="free", is_listed=True)
    MailDomain.objects.create(domain="own.example", kind="disposable")
    assert dictionaries.keep_up_mail_domains() == 2
    assert dictionaries.keep_up_mail_domains() == 0
    kinds = dict(MailDomain.objects.values_list("domain", "kind"))
    assert kinds["gmail.com"] == "corporate" and kinds["own.example"] == "disposable"
    assert kinds["mailinator.com"] == "disposable" and "no-longer.example" not in kinds


def test_a_mailbox_that_is_nobodys_own_moves_scores():
    lead = some_lead("werkstatt@acme.example")
    settle()
    before = standing_of(lead).fit
    dictionaries.write_entry(SharedMailbox(word="werkstatt"), is_new=True)
    everything_done()
    assert standing_of(lead).fit == before - 5  # no longer the address of a person at a company


def test_nothing_is_looked_for_again_when_no_signal_asks():
    assert dictionaries.reword(dictionaries.EXPLAINS[LegalForm]) == 0
    assert not Rewording.objects.exists()


def test_one_name_for_an_industry_keeps_what_it_does_not_know():
    account = Account.objects.create(name="A", industry="Aerospace")
    lead = some_lead()
    lead.account = account
    lead.save(update_fields=["account"])
    assert known_of(lead, "canonical_industry") == "aerospace"
    assert known_of(lead, "industry") == "Aerospace"
    words = replace(all_words(), industries={"aerospace": "Aviation"})
    assert meanings.industry_of("Aerospace", words) == "Aviation"
