"""Signing in, out and back in; and where each role's day starts."""

from __future__ import annotations

import re

import pytest
from django.core import mail
from django.core.cache import cache
from django.urls import NoReverseMatch, reverse

from funnel_app.navigation import LANDING
from users.models import User

PASSWORD = "correct horse battery"


def sign_in(client, email: str = "sam@example.com", password: str = PASSWORD, **data):
    return client.post("/user/login/", {"login": email, "password": password, **data})


@pytest.fixture(autouse=True)
def fresh_counters(db):
    cache.clear()


def test_one_signs_in_with_an_e_mail_address_in_any_case(client, sam):
    response = sign_in(client, "SAM@Example.com")
    assert response.status_code == 302 and response.url == "/"


def test_sign_in_leads_back_to_the_page_one_came_for(client, mia):
    assert client.get("/leads/?stage=mql").url == "/user/login/?next=/leads/%3Fstage%3Dmql"
    assert sign_in(client, "mia@example.com", next="/leads/?stage=mql").url == "/leads/?stage=mql"


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_sign_in_never_leads_to_another_site(client, sam, elsewhere):
    assert sign_in(client, next=elsewhere).url == "/"


@pytest.mark.parametrize("email", ["sam@example.com", "nobody@example.com"])
def test_a_failed_sign_in_does_not_say_whether_the_address_is_known(client, sam, email):
    page = sign_in(client, email, "wrong").content.decode()
    assert "not correct" in page
    assert page.count("not correct") == 1 and "Sam" not in page


def test_guessing_is_stopped_and_the_counter_survives_in_the_database(client, sam):
    answers = [sign_in(client, password=f"guess {n}").content.decode() for n in range(6)]
    assert "Too many failed login attempts" in answers[-1]
    # The right password does not help either, until the time is over.
    assert "Too many failed login attempts" in sign_in(client).content.decode()


def test_nobody_signs_up(client, db):
    page = client.get("/user/signup/").content.decode()
    assert "Accounts are made by an admin" in page
    new = {"email": "eve@example.com", "password1": PASSWORD, "password2": PASSWORD}
    client.post("/user/signup/", new)
    assert not User.objects.exists()


def test_a_closed_account_cannot_sign_in(client, sam):
    User.objects.update(is_active=False)
    assert sign_in(client).url == "/user/inactive/"
    assert client.get("/leads/").status_code == 302


def test_signing_out_takes_a_deed_not_a_link(client, sam):
    client.force_login(sam)
    client.get("/user/logout/")
    assert client.get("/leads/").status_code == 200
    client.post("/user/logout/")
    assert client.get("/leads/").status_code == 302


def test_a_forgotten_password_is_replaced_by_mail(client, sam):
    client.post("/user/password/reset/", {"email": "sam@example.com"})
    link = re.search(r"http://testserver(\S+)", mail.outbox[0].body).group(1)
    form = client.get(link, follow=True)
    url = form.request["PATH_INFO"]
    new = {"password1": "entirely new words", "password2": "entirely new words"}
    assert client.post(url, new).url == "/user/password/reset/key/done/"
    assert sign_in(client, password="entirely new words").url == "/"
    assert "no longer works" in client.get(link, follow=True).content.decode()


def test_no_stranger_gets_mail_and_nobody_learns_who_is_known(client, sam):
    pages = []
    for email in ("sam@example.com", "stranger@example.com"):
        page = client.post("/user/password/reset/", {"email": email}, follow=True).content.decode()
        pages.append(re.sub(r"\b[A-Za-z0-9]{64}\b", "<csrf token>", page))
    assert pages[0] == pages[1]
    assert [m.to for m in mail.outbox] == [["sam@example.com"]]


def test_a_password_is_changed_by_who_knows_the_old_one(client, sam):
    client.force_login(sam)
    new = {"password1": "entirely new words", "password2": "entirely new words"}
    assert client.post("/user/password/change/", {"oldpassword": "x", **new}).status_code == 200
    assert (
        client.post("/user/password/change/", {"oldpassword": PASSWORD, **new}).status_code == 302
    )
    assert sign_in(client, password="entirely new words").status_code == 302


def first_page_of(role: str) -> str:
    for name in LANDING[role]:
        try:
            return reverse(name)
        except NoReverseMatch:
            continue
    raise LookupError(role)


@pytest.mark.parametrize("persona", ["mia", "sam", "mona", "ana"])
def test_each_role_lands_on_its_own_page(client, persona, request):
    user = request.getfixturevalue(persona)
    client.force_login(user)
    assert client.get("/").url == first_page_of(user.role)


def test_someone_without_a_role_is_told_whom_to_ask(client, viv):
    client.force_login(viv)
    page = client.get("/").content.decode()
    assert "no role is assigned to you yet" in page
    assert 'aria-current="page"' not in page


def test_the_sidebar_shows_what_the_role_may_open(client, mia, ana, viv):
    shown = {}
    for user in (mia, ana, viv):
        client.force_login(user)
        page = client.get("/user/password/change/").content.decode()
        shown[user.first_name] = set(re.findall(r'nav-link" href="([^"]+)"', page))
    assert "/leads/" in shown["Mia"] and "/admin/" not in shown["Mia"]
    assert "/admin/" in shown["Ana"]
    assert shown["Viv"] == set()


def test_the_language_can_be_chosen_before_and_after_signing_in(client, sam):
    client.post("/i18n/setlang/", {"language": "ko", "next": "/user/login/"})
    assert '<html lang="ko">' in client.get("/user/login/").content.decode()
    client.force_login(sam)
    assert '<html lang="ko">' in client.get("/leads/").content.decode()


def test_session_and_csrf_cookies_are_guarded(client, sam):
    client.get("/user/login/")
    sign_in(client)
    session, csrf = client.cookies["sessionid"], client.cookies["csrftoken"]
    assert session["httponly"] and session["samesite"] == csrf["samesite"] == "Lax"
