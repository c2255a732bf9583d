"""Admins look after colleagues, criteria and own fields; nobody else does."""

from __future__ import annotations

import json

import pytest

from leads.models import AuditEntry, Criterion, CustomField
from users.models import User

NEW = {
    "email": "Ida@Example.com",
    "first_name": "Ida",
    "last_name": "Ek",
    "role": "marketer",
    "team": "",
    "capacity": "25",
    "is_available": "on",
    "usable_password": "true",
    "password1": "entirely new words",
    "password2": "entirely new words",
}


@pytest.fixture
def admin(client, ana):
    """Ana is an admin by her role alone."""
    User.objects.filter(pk=ana.pk).update(is_staff=False, is_superuser=False)
    client.force_login(User.objects.get(pk=ana.pk))
    return client


def errors(response) -> str:
    return json.dumps(response.context["adminform"].form.errors)


def test_an_admin_makes_an_account_with_a_role(admin):
    assert admin.post("/admin/users/user/add/", NEW).status_code == 302
    ida = User.objects.get(email="ida@example.com")
    assert (ida.role, ida.is_staff, ida.is_superuser) == ("marketer", False, False)
    assert ida.check_password("entirely new words")


def test_sales_people_need_a_team(admin):
    response = admin.post("/admin/users/user/add/", NEW | {"role": "rep"})
    assert "need a team" in errors(response)


def test_one_address_is_one_colleague(admin, mia):
    response = admin.post("/admin/users/user/add/", NEW | {"email": "MIA@example.com"})
    assert "exists already" in errors(response)


def test_nobody_takes_the_keys_from_themselves_and_nobody_is_deleted(admin, ana, mia):
    page = admin.get(f"/admin/users/user/{ana.pk}/change/").content.decode()
    assert 'name="role"' not in page and 'name="is_active"' not in page
    assert 'name="role"' in admin.get(f"/admin/users/user/{mia.pk}/change/").content.decode()
    assert admin.post(f"/admin/users/user/{mia.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_superuser_without_the_role_is_no_admin(client, viv):
    User.objects.filter(pk=viv.pk).update(is_staff=True, is_superuser=True)
    client.force_login(User.objects.get(pk=viv.pk))
    assert client.get("/admin/").status_code == 403


def save_criterion(admin, kind: str, params: str):
    criterion = Criterion.objects.get(kind="buying_roles_known")
    data = {"stage": "sal", "kind": kind, "params": params, "is_active": "on", "position": "1"}
    return admin.post(f"/admin/leads/criterion/{criterion.pk}/change/", data)


def test_an_admin_edits_a_criterion_and_it_stands_in_the_audit_log(admin, ana):
    params = {"roles": ["decision_maker", "champion"]}
    assert save_criterion(admin, "buying_roles_known", json.dumps(params)).status_code == 302
    assert Criterion.objects.get(kind="buying_roles_known").params == params
    assert AuditEntry.objects.filter(actor=ana, object_kind="criterion", verb="edited").exists()


@pytest.mark.parametrize(
    ("kind", "params", "sentence"),
    [
        ("buying_roles_known", '{"roles": ["king"]}', "There is no buying role"),
        ("buying_roles_known", "{}", "at least one role"),
        ("buying_roles_known", "[1]", "The settings are written as"),
        ("has_consent", '{"x": 1}', "This kind has no settings"),
        ("bant_minimum", '{"minimum": 9}', "whole number from 1 to 4"),
        ("astrology", "{}", "not one of the available choices"),
    ],
)
def test_settings_that_make_no_sense_are_refused_with_a_sentence(admin, kind, params, sentence):
    assert sentence in errors(save_criterion(admin, kind, params))


@pytest.mark.parametrize("typed", ["9" * 5_000, "[" * 200_000, "NaN", '{"a": Infinity}'])
def test_what_no_database_keeps_is_refused_and_shown_again(admin, typed):
    forms = {
        "/admin/users/team/add/": {"name": "South", "countries": typed},
        "/admin/scoring/signal/add/": {"label": "S", "key": "s", "conditions": typed},
    }
    answers = [admin.post(url, fields) for url, fields in forms.items()]
    answers.append(save_criterion(admin, "has_consent", typed))
    for answer in answers:
        assert "Enter a valid JSON." in errors(answer)


def test_an_own_field_keeps_its_key_and_type(admin):
    field = {"target": "lead", "key": "segment", "label": "Segment", "kind": "choice"}
    url = "/admin/leads/customfield/add/"
    assert "choose from" in errors(admin.post(url, field | {"choices": "", "position": 0}))
    made = admin.post(url, field | {"choices": "SMB\nLarge\n\nSMB", "position": 0})
    assert made.status_code == 302
    row = CustomField.objects.get()
    assert row.choices == ["SMB", "Large"]
    change = field | {"kind": "text", "key": "other", "choices": "SMB\nHuge", "position": 1}
    assert admin.post(f"/admin/leads/customfield/{row.pk}/change/", change).status_code == 302
    row.refresh_from_db()
    assert (row.key, row.kind, row.choices) == ("segment", "choice", ["SMB", "Huge"])


def test_the_audit_log_is_only_read(admin, mia):
    entry = AuditEntry.objects.create(verb="edited", object_kind="lead", actor=mia)
    assert admin.get(f"/admin/leads/auditentry/{entry.pk}/change/").status_code == 200
    for url in ("add/", f"{entry.pk}/delete/"):
        assert admin.get(f"/admin/leads/auditentry/{url}").status_code == 403
