"""Every address × every persona, driven from the matrix in funnel_app/access.py."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import URLResolver, get_resolver, reverse
from django.utils.timezone import now

from funnel_app.access import ACCESS, roles_for
from insights.review import making
from leads import importing, lifecycle
from leads.actors import Actor
from leads.editing import account_named
from leads.models import Lead
from sales import handoff as handoffs
from sales.models import Handoff
from scoring import drafting
from scoring.models import ModelVersion, Training
from tests.conftest import QUICK_HASHERS, person
from tests.sales.conftest import answer_bant, become_mql, handoff_of, know_the_decision_maker
from tracking.keys import issue_key
from tracking.models import ChannelRule, Event, InspectedMessage, Source, VerdictRule
from tracking.verdicts.ruling import ask_for_run
from users.models import Team, User
from users.roles import Role

pytestmark = pytest.mark.django_db
PERSONAS = ("anonymous", "viv", "mia", "sam", "sue", "mona", "ana")
# Who of those whom the matrix lets in sees Sam's lead and all that hangs on it.
SIGHT = {"mia", "sam", "mona", "ana"}
# The agreement is everybody's.
OF_ALL = ("scoring:version",)
MOST_QUERIES = 20
SESSION = settings.SESSION_COOKIE_NAME
# Opening these is a deed of its own: they need a key, or end the session.
NOT_DRIVEN = {"account_reset_password_from_key", "account_logout", "set_language"}
NOT_DRIVEN |= {"account_confirm_email"}
NOT_DRIVEN |= {"api:lead_score"}  # tests/scoring/test_api.py drives it
OF_A_LEAD = ("leads:", "scoring:explanation", "sales:lead_panel", "sales:proposal", "sales:bant")
OF_A_LEAD += ("tracking:touchpoints", "scoring:prediction_override", "scoring:ledger_csv")


def addresses(resolver: URLResolver, namespaces: tuple = ()) -> Iterator[tuple[str, bool]]:
    """Every named address outside of Django's admin: (URL name, whether it needs an object)."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            inner = (*namespaces, pattern.namespace) if pattern.namespace else namespaces
            if "admin" not in inner:
                yield from addresses(pattern, inner)
        else:
            name = ":".join((*namespaces, pattern.name or ""))
            yield name, bool(pattern.pattern.converters or pattern.pattern.regex.groups)


ADDRESSES = dict(addresses(get_resolver()))
DRIVEN = sorted(ADDRESSES.keys() - NOT_DRIVEN)


def test_every_address_is_in_the_matrix_and_nothing_else():
    assert {name for name in ADDRESSES if name not in ACCESS} == set()
    assert {name for name in ACCESS if name not in ADDRESSES and not name.endswith(":*")} == set()


@pytest.fixture(scope="module")
def story(module_transaction) -> dict[str, int]:
    """The keys of all personas, and of Sam's lead in stage MQL and its hand-off."""
    north, south = (Team.objects.create(name=name) for name in ("North", "South"))
    with override_settings(PASSWORD_HASHERS=QUICK_HASHERS):
        people = [person("Mia", Role.MARKETER), person("Sam", Role.REP, north)]
        people += [person("Mona", Role.MANAGER, north), ana := person("Ana", Role.ADMIN)]
        lead = become_mql(ana, country="DE")
        # Sue comes now: routing had only Sam to choose.
        people += [person("Viv", ""), person("Sue", Role.REP, south)]
    keys = {user.first_name.lower(): user.pk for user in people}
    return keys | {"lead": lead.pk, "handoff": handoff_of(lead).pk}


@pytest.fixture(scope="module")
def sessions(story) -> dict[str, str]:
    """The cookies of the personas: each has signed in once."""
    clients = {name: Client() for name in PERSONAS[1:]}
    for name, client in clients.items():
        client.force_login(User.objects.get(pk=story[name]))
    return {name: client.cookies[SESSION].value for name, client in clients.items()}


@pytest.fixture
def world(story, sessions, db) -> dict:
    """All personas, and Sam's lead with all that hangs on it. What a test does is rolled back."""
    return {
        "people": {name: User.objects.get(pk=story[name]) for name in PERSONAS[1:]},
        "sessions": sessions,
        "lead": Lead.objects.get(pk=story["lead"]),
        "handoff": Handoff.objects.get(pk=story["handoff"]),
    }


@pytest.fixture
def ana(world) -> User:
    return world["people"]["ana"]


@pytest.fixture
def viv(world) -> User:
    return world["people"]["viv"]


@pytest.fixture
def deal(world):
    """The opportunity that opens when Sam's lead reaches stage SQL."""
    sam, lead = world["people"]["sam"], world["lead"]
    handoffs.accept(world["handoff"].pk, by=Actor.of(sam))
    know_the_decision_maker(lead)
    answer_bant(lead, sam)
    lifecycle.advance(lead.pk, "sql", by=Actor.of(sam))
    return lead.opportunities.get()


def object_of(name: str, world: dict, request) -> int:
    """The key that the address with this name takes."""
    if name == "leads:by_public_id":
        return world["lead"].public_id
    if name.startswith(OF_A_LEAD):
        return world["lead"].pk
    if name.startswith(("sales:handoff", "sales:decision", "sales:assignment")):
        return world["handoff"].pk
    if name.startswith(("sales:opportunity", "sales:outcome")):
        return request.getfixturevalue("deal").pk
    if name.startswith("scoring:training"):
        return Training.objects.create(source="import", file_name="old.csv").pk
    if name.startswith("imports:") or name == "scoring:workbench_file":
        mia = Actor.of(world["people"]["mia"])
        return importing.upload(b"Email\nkim@globex.example\n", "people.csv", by=mia).pk
    if name == "accounts:account":
        world["lead"].account = account_named("Acme")
        world["lead"].save()
        return world["lead"].account_id
    if name == "review:draft":
        review = making.request(by=Actor.system("test"))
        making.drain()
        return review.pk
    about_versions = ("scoring:preview", "scoring:backtest", "scoring:version")
    if name.startswith(about_versions):
        active = ModelVersion.objects.active()
        return drafting.clone_to_draft(active.pk, by=Actor.system("test")).number
    if name.startswith("tracking:channel_rule"):
        return ChannelRule.objects.earliest("position").pk
    if name.startswith("tracking:verdict_"):
        return object_of_verdicts(name)
    if name.startswith("tracking:"):
        source = Source.objects.create(name="Website")
        key, _text = issue_key(source, is_secret=False)
        if name == "tracking:message":
            return InspectedMessage.objects.create(source=source, key=key, outcome="rejected").pk
        about_keys = ("key", "secret_key", "rotation", "revocation")
        is_about_key = name.removeprefix("tracking:") in about_keys
        return key.pk if is_about_key else source.pk
    raise LookupError(f"Say in object_of() which object {name} takes.")


def object_of_verdicts(name: str) -> int:
    rule = VerdictRule.objects.create(effect="machine", path="/monitor", reason="Ours")
    if name == "tracking:verdict_event":
        return one_event().pk
    return ask_for_run(rule=rule).pk if name == "tracking:verdict_run_resume" else rule.pk


def one_event() -> Event:
    source = Source.objects.create(name="Elsewhere")
    said = {"source": source, "message_id": "1", "kind": "page_viewed"}
    return Event.objects.create(**said, occurred_at=now())


def signed_in(persona: str, world: dict) -> Client:
    client = Client()
    if persona != "anonymous":
        client.cookies[SESSION] = world["sessions"][persona]
    return client


def expected(name: str, persona: str, world: dict, *, needs_object: bool) -> str:
    role = "anonymous" if persona == "anonymous" else world["people"][persona].role
    if role in roles_for(name):
        is_hidden = needs_object and persona not in SIGHT and not name.startswith(OF_ALL)
        return "not found" if is_hidden else "open"
    return "sign in" if persona == "anonymous" else "forbidden"


def outcome(response) -> str:
    if response.status_code == 302 and "/user/login/" in response.url:
        return "sign in"
    return {403: "forbidden", 404: "not found", 500: "broken"}.get(response.status_code, "open")


@pytest.mark.parametrize("name", DRIVEN)
def test_everybody_gets_exactly_what_the_matrix_says(name, world, request):
    """Reading; and writing for those who must not, and where there is nothing to read."""
    needs_object = ADDRESSES[name]
    url = reverse(name, args=[object_of(name, world, request)] if needs_object else [])
    wanted = {p: expected(name, p, world, needs_object=needs_object) for p in PERSONAS}
    found = {}
    for persona in PERSONAS:
        read = signed_in(persona, world).get(url)
        if read.status_code != 405:
            found[persona, "reads"] = outcome(read)
        if wanted[persona] != "open" or read.status_code == 405:
            written = signed_in(persona, world).post(url)
            if written.status_code != 405:
                found[persona, "writes"] = outcome(written)
    assert found == {(persona, how): wanted[persona] for persona, how in found}
    assert {persona for persona, _how in found} == set(PERSONAS)


@pytest.mark.parametrize("name", DRIVEN)
def test_no_page_asks_the_database_too_often_or_breaks_its_security_policy(name, world, request):
    args = [object_of(name, world, request)] if ADDRESSES[name] else []
    client = signed_in("ana", world)
    url = reverse(name, args=args)
    client.get(url)  # what is cached for minutes is in the cache
    with CaptureQueriesContext(connection) as queries:
        response = client.get(url)
    assert len(queries) <= MOST_QUERIES, "\n".join(q["sql"][:200] for q in queries)
    policy = response.headers["Content-Security-Policy"]
    assert "unsafe" not in policy and "default-src 'none'" in policy
    assert "no-store" in response.headers["Cache-Control"] or "no-cache" in str(response.headers)


def admin_pages() -> list[str]:
    """Lists and forms of everything in Django's admin, and what surrounds them."""
    from django.contrib import admin

    names = ["admin:index", "admin:password_change"]
    for model in admin.site._registry:
        label = f"{model._meta.app_label}_{model._meta.model_name}"
        names += [f"admin:{label}_changelist", f"admin:{label}_add"]
    return names


@pytest.mark.parametrize("name", admin_pages())
def test_only_admins_open_the_admin(name, world):
    found = {p: outcome(signed_in(p, world).get(reverse(name))) for p in PERSONAS}
    ana = found.pop("ana")
    assert set(found.items()) == {
        ("anonymous", "sign in"),
        *((p, "forbidden") for p in PERSONAS[1:-1]),
    }
    # What is only read has no form to add.
    assert ana == "open" or (ana == "forbidden" and name.endswith("_add"))


@pytest.mark.parametrize("name", ["index", "leads_criterion_changelist", "users_user_changelist"])
def test_the_admin_keeps_to_few_queries(name, world):
    client = signed_in("ana", world)
    with CaptureQueriesContext(connection) as queries:
        client.get(reverse(f"admin:{name}"))
    assert len(queries) <= MOST_QUERIES


def test_the_admin_has_no_sign_in_of_its_own(client, ana):
    assert client.get("/admin/login/").url == "/user/login/?next=/admin/login/"
    client.force_login(ana)
    assert client.get("/admin/login/?next=/admin/").url == "/admin/"


def test_an_address_that_is_not_listed_is_open_to_nobody(client, ana, monkeypatch):
    monkeypatch.delitem(ACCESS, "leads:list")
    client.force_login(ana)
    assert client.get("/leads/").status_code == 403


def test_a_closed_account_is_signed_out(client, ana):
    client.force_login(ana)
    User.objects.filter(pk=ana.pk).update(is_active=False)
    assert outcome(client.get("/leads/")) == "sign in"


@pytest.mark.parametrize("status", [403, 404])
def test_error_pages_have_their_own_sentence(status, client, viv):
    client.force_login(viv)
    response = client.get("/leads/" if status == 403 else "/nowhere/")
    assert response.status_code == status
    title = re.search(r'empty-title">(.*?)<', response.content.decode()).group(1)
    assert (
        title
        == {
            403: "Your role does not open this page.",
            404: "There is nothing here that you can see.",
        }[status]
    )


def test_a_fragment_sends_a_signed_out_person_to_sign_in_as_a_page(client, db):
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/leads/?stage=mql"}
    response = client.get("/leads/", headers=headers)
    assert response["HX-Redirect"] == "/user/login/?next=/leads/%3Fstage%3Dmql"
