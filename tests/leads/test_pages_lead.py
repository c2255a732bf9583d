"""The page of one lead: what it shows, and what people do there."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils.timezone import localdate, now

from leads import lifecycle
from leads.actors import Actor
from leads.models import AuditEntry, BuyingRole, CustomField, Lead
from tests.leads.people import SYSTEM, make_lead


@pytest.fixture
def lead(sam) -> Lead:
    """Sam's lead, with an e-mail address but no consent yet."""
    return make_lead(first_name="Kim", last_name="Lee", email="kim@acme.example", owner=sam)


def as_(user) -> Client:
    client = Client()
    client.force_login(user)
    return client


def post(user, lead: Lead, what: str, **data):
    return as_(user).post(f"/leads/{lead.pk}/{what}/", data)


def move(user, lead: Lead, action: str, **data):
    return post(user, lead, "transitions", action=action, expected_seq=lead.episode_seq, **data)


def text(response) -> str:
    return response.content.decode()


def test_the_page_says_who_where_and_what_is_missing(lead, mia):
    page = text(as_(mia).get(f"/leads/{lead.pk}/"))
    for words in ("Kim Lee", "kim@acme.example", "No consent is recorded.", "Advance anyway to"):
        assert words in page


def test_what_people_wrote_is_never_markup(mia):
    evil = '<script>alert("x")</script>'
    lead = make_lead(first_name=evil, title=evil, company=evil, source=evil[:50])
    for url in (f"/leads/{lead.pk}/", "/leads/"):
        assert "<script>alert" not in text(as_(mia).get(url))


def test_consent_that_completes_the_criteria_qualifies_the_lead(lead, mia):
    response = post(
        mia,
        lead,
        "consents",
        purpose="mail",
        is_granted="yes",
        given_on=localdate().isoformat(),
        evidence="Signed at the fair",
    )
    assert response.status_code == 303
    lead.refresh_from_db()
    assert lead.stage == "qualified"
    assert lead.consents.get().evidence == "Signed at the fair (written down by Mia)"


@pytest.mark.parametrize("bad", [{"evidence": "  "}, {"given_on": "2999-01-01"}, {"purpose": "x"}])
def test_a_consent_without_evidence_or_from_the_future_is_refused(lead, mia, bad):
    good = {"purpose": "mail", "is_granted": "yes", "given_on": "2026-01-02", "evidence": "Call"}
    assert post(mia, lead, "consents", **good | bad).status_code == 422
    assert not lead.consents.exists()


def test_a_lead_that_is_not_ready_does_not_move_and_the_page_says_why(lead, mia):
    response = move(mia, lead, "advance")
    assert response.status_code == 422
    assert "not ready to leave Lead. Still missing: No consent is recorded." in text(response)
    lead.refresh_from_db()
    assert lead.stage == "lead"


def test_an_override_needs_a_reason_and_is_shown(lead, mia):
    assert move(mia, lead, "override").status_code == 422
    assert move(mia, lead, "override", reason="Met her at the fair").status_code == 303
    page = text(as_(mia).get(f"/leads/{lead.pk}/"))
    assert "Met her at the fair" in page and "override" in page


def test_who_comes_second_gets_a_409_and_the_present_state(lead, mia, ana):
    assert move(ana, lead, "disqualify", reason="A student").status_code == 303
    response = move(mia, lead, "override", reason="No, a buyer")
    assert response.status_code == 409
    assert "Ana was faster: Kim Lee is now in stage Disqualified." in text(response)
    assert "Start a new cycle" in text(response)


def test_sales_recycles_with_a_reason_and_a_day(lead, sam):
    lifecycle.record_imported_step(lead.pk, "sal", by=SYSTEM, at=now())
    lead.refresh_from_db()
    later = localdate() + timedelta(days=90)
    response = move(sam, lead, "recycle", reason="Budget next year", not_before_on=later)
    assert response.status_code == 303
    lead.refresh_from_db()
    assert (lead.stage, lead.cycle, lead.not_before_on) == ("qualified", 2, later)


@pytest.mark.parametrize("data", [{}, {"action": "fly"}, {"action": "advance"}])
def test_half_a_transition_form_is_refused(lead, mia, data):
    assert post(mia, lead, "transitions", **data).status_code == 422


@pytest.mark.parametrize(
    "what", ["transitions", "edit", "consents", "buying-roles", "buying-roles/removal"]
)
def test_what_is_not_yours_is_not_there(lead, sue, what):
    assert post(sue, lead, what, kind="champion").status_code == 404
    assert as_(sue).get(f"/leads/{lead.pk}/timeline/").status_code == 404


def test_the_page_offers_a_rep_no_move_that_is_marketings(lead, sam):
    page = text(as_(sam).get(f"/leads/{lead.pk}/"))
    assert "In this stage, others move the lead on." in page
    assert move(sam, lead, "override", reason="x").status_code == 422


def test_buying_roles_come_and_go_and_leave_a_trace(lead, sam):
    post(sam, lead, "buying-roles", kind="champion")
    post(sam, lead, "buying-roles", kind="champion")
    assert list(lead.buying_roles.values_list("kind", "recorded_by")) == [("champion", sam.pk)]
    post(sam, lead, "buying-roles/removal", kind="champion")
    assert not BuyingRole.objects.exists()
    told = AuditEntry.objects.filter(object_kind="lead", object_id=lead.pk).order_by("id")
    assert list(told.values_list("verb", "changes"))[1:] == [
        ("added", {"buying_role": [None, "champion"]}),
        ("removed", {"buying_role": ["champion", None]}),
    ]
    assert post(sam, lead, "buying-roles", kind="king").status_code == 422


def test_colleagues_of_the_account_are_shown_as_far_as_one_may_see_them(lead, sam, mia):
    other = make_lead(first_name="Hidden", last_name="Colleague")
    from leads.editing import account_named

    account = account_named("Acme")
    Lead.objects.filter(pk__in=[lead.pk, other.pk]).update(account=account)
    assert "Hidden Colleague" in text(as_(mia).get(f"/leads/{lead.pk}/"))
    assert "Hidden Colleague" not in text(as_(sam).get(f"/leads/{lead.pk}/"))
    assert "Hidden Colleague" not in text(as_(sam).get(f"/accounts/{account.pk}/"))


# --- Details ------------------------------------------------------------------


def edit(user, lead: Lead, **data):
    shown = {"first_name": "Kim", "last_name": "Lee", "email": "kim@acme.example"}
    return post(user, lead, "edit", **shown | {"channel": "unknown"} | data)


def test_an_edit_saves_what_changed_and_says_so_in_the_audit_log(lead, sam):
    assert edit(sam, lead, title="CTO", company="Acme GmbH").status_code == 303
    lead.refresh_from_db()
    assert (lead.title, lead.company, lead.account.name) == ("CTO", "Acme GmbH", "Acme GmbH")
    entry = AuditEntry.objects.first()
    assert (entry.verb, entry.actor) == ("edited", sam)
    assert entry.changes["title"] == ["", "CTO"]


def test_an_edit_that_changes_nothing_leaves_no_trace(lead, sam):
    before = AuditEntry.objects.count()
    assert edit(sam, lead).status_code == 303
    assert AuditEntry.objects.count() == before


def test_the_same_company_in_another_case_is_the_same_account(lead, sam):
    edit(sam, lead, company="Acme GmbH")
    edit(sam, lead, company="ACME gmbh")
    lead.refresh_from_db()
    assert lead.account.name == "Acme GmbH"


def test_an_address_belongs_to_one_lead_only(lead, sam):
    make_lead(email="taken@acme.example")
    response = edit(sam, lead, email="Taken@acme.example")
    assert response.status_code == 422
    assert "with the e-mail address taken@acme.example is known already" in text(response)
    lead.refresh_from_db()
    assert lead.email == "kim@acme.example"


@pytest.fixture
def own_fields(db) -> None:
    make = CustomField.objects.create
    make(target="lead", key="plants", label="Plants", kind="number")
    make(target="lead", key="visited_on", label="Visited on", kind="date")
    make(target="lead", key="is_partner", label="Partner", kind="boolean")
    make(target="lead", key="segment", label="Segment", kind="choice", choices=["SMB", "Large"])
    make(target="lead", key="remark", label="Remark", kind="text")


def test_own_fields_are_typed(lead, sam, own_fields):
    values = {
        "custom_plants": "12",
        "custom_visited_on": "2026-03-04",
        "custom_is_partner": "false",
        "custom_segment": "Large",
        "custom_remark": " likes robots ",
    }
    assert edit(sam, lead, **values).status_code == 303
    lead.refresh_from_db()
    assert lead.custom == {
        "plants": 12,
        "visited_on": "2026-03-04",
        "is_partner": False,
        "segment": "Large",
        "remark": "likes robots",
    }
    page = text(as_(sam).get(f"/leads/{lead.pk}/"))
    for shown in ("12", "4 March 2026", "likes robots"):
        assert shown in page
    edit(sam, lead, **values | {"custom_plants": ""})
    lead.refresh_from_db()
    assert "plants" not in lead.custom and lead.custom["segment"] == "Large"


@pytest.mark.parametrize(
    "bad", [{"custom_plants": "many"}, {"custom_visited_on": "4.3."}, {"custom_segment": "Huge"}]
)
def test_a_value_of_the_wrong_type_is_refused(lead, sam, own_fields, bad):
    assert edit(sam, lead, **bad).status_code == 422
    lead.refresh_from_db()
    assert lead.custom == {}


def test_a_rep_enters_a_lead_and_owns_it(sam):
    response = as_(sam).post(
        "/leads/new/",
        {
            "last_name": "Ito",
            "email": "ito@globex.example",
            "company": "Globex",
            "channel": "event",
        },
    )
    lead = Lead.objects.get()
    assert response.url == f"/leads/{lead.pk}/"
    assert (lead.owner, lead.team, lead.account.name) == (sam, sam.team, "Globex")
    assert (lead.stage, lead.is_email_verified) == ("lead", True)
    assert lead.episodes.get().actor == sam


def test_a_manager_enters_a_lead_for_the_team(mona):
    as_(mona).post("/leads/new/", {"company": "Globex", "channel": "unknown"})
    lead = Lead.objects.visible_to(mona).get()
    assert (lead.owner, lead.team) == (None, mona.team)


def test_a_known_person_is_not_entered_twice_and_nothing_about_them_is_given_away(lead, sue):
    response = as_(sue).post(
        "/leads/new/", {"email": "KIM@acme.example", "channel": "unknown", "title": "Boss"}
    )
    assert response.status_code == 422
    assert "is known already, but not to you" in text(response) and "Lee" not in text(response)
    lead.refresh_from_db()
    assert lead.title == ""


def test_an_empty_lead_is_refused(mia):
    assert as_(mia).post("/leads/new/", {"channel": "unknown"}).status_code == 422
    assert not Lead.objects.exists()


# --- Owner --------------------------------------------------------------------


def test_a_manager_gives_a_lead_to_the_own_team_only(lead, mona, sam, sue):
    assert post(mona, lead, "assignment", owner=sue.pk).status_code == 422
    assert post(mona, lead, "assignment", owner=mona.pk).status_code == 303
    lead.refresh_from_db()
    assert lead.owner == mona
    assert as_(sam).get(f"/leads/{lead.pk}/").status_code == 404


# --- Timeline -----------------------------------------------------------------


def test_the_timeline_is_read_page_by_page_and_never_tears_an_instant(lead, mia, monkeypatch):
    from leads import lead_queries

    monkeypatch.setattr(lead_queries, "TIMELINE_PAGE", 2)
    for _cycle in range(2):
        lifecycle.record_imported_step(lead.pk, "sal", by=SYSTEM, at=now())
        lifecycle.recycle(lead.pk, by=SYSTEM, reason="Not now")
    seen, url = [], f"/leads/{lead.pk}/timeline/?only=stages"
    while url:
        page = as_(mia).get(url).context["timeline"]
        seen += page.entries
        url = page.before and f"/leads/{lead.pk}/timeline/?only=stages&before=" + (
            page.before.isoformat().replace("+", "%2B")
        )
    shown = lead.episodes.filter(is_pass_through=False)
    assert len(seen) == len({entry.key for entry in seen}) == shown.count()
    assert [entry.at for entry in seen] == sorted((e.at for e in seen), reverse=True)


@pytest.mark.parametrize("query", ["before=yesterday", "before=9999", "only=nothing", "before="])
def test_an_odd_timeline_address_shows_the_newest_page(lead, mia, query):
    assert as_(mia).get(f"/leads/{lead.pk}/timeline/?{query}").status_code == 200


def test_actions_name_who_did_them(lead, ana):
    lifecycle.disqualify(lead.pk, by=Actor.of(ana), reason="A student")
    page = text(as_(ana).get(f"/leads/{lead.pk}/"))
    assert "A student" in page and "Ana" in page


def test_edits_and_consents_stand_in_the_timeline_without_private_values(lead, sam, mia):
    edit(sam, lead, phone="+49 170 1234567")
    answer = {"purpose": "mail", "is_granted": "no", "given_on": "2026-01-02"}
    post(mia, lead, "consents", evidence="Call", **answer)
    entries = as_(mia).get(f"/leads/{lead.pk}/timeline/").context["timeline"].entries
    told = {(entry.title, entry.detail, entry.actor) for entry in entries}
    assert ("Details edited", "phone", "Sam") in told
    assert ("Consent withdrawn: E-mail", "Call (written down by Mia)", "") in told
