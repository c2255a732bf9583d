"""A dictionary may change under a signed version; the page of the version says so."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils.timezone import now

from leads.actors import Actor
from leads.models import AuditEntry
from scoring import drafting, publishing, signing, version_queries
from scoring.models import ModelVersion, Signal, TitleWord
from tests.scoring.stories import put_in_force

pytestmark = pytest.mark.django_db
SYSTEM = Actor.system("test")


@pytest.fixture
def by_seniority(db, mia, mona) -> ModelVersion:
    """A version that asks for a seniority; agreed by marketing and sales."""
    condition = {"field": "seniority", "operator": "is", "value": "executive"}
    signal = Signal(axis="fit", key="executive", label="Executive", conditions=[condition])
    drafting.prepare_signal(signal)
    signal.save()
    draft = drafting.clone_to_draft(ModelVersion.objects.active().pk, by=SYSTEM)
    draft.rules.create(signal=signal, points=7)
    signing.submit(draft.pk, by=SYSTEM)
    for person in (mia, mona):
        signing.sign(draft.pk, by=Actor.of(person))
    draft.refresh_from_db()
    return draft


def edit(client, word: str, seniority: str) -> None:
    entry = TitleWord.objects.get(word=word)
    address = reverse("admin:scoring_titleword_change", args=[entry.pk])
    form = client.get(address).context["adminform"].form
    kept = {name: form[name].value() or "" for name in form.fields}
    assert client.post(address, kept | {"seniority": seniority}).status_code == 302


def test_the_page_says_which_words_were_changed_since_and_by_whom(client, ana, by_seniority):
    client.force_login(ana)
    edit(client, "owner", "director")
    newest = version_queries.deeds(by_seniority)[0]
    assert newest.who == AuditEntry.objects.get(object_kind="titleword").actor_label
    assert newest.said == ("changed what “owner” means after it was signed (words of job titles)")
    own = {deed.said for deed in version_queries.deeds(by_seniority)[1:]}
    assert own == {
        "submitted it for signature",
        "signed it",
        "was the second to sign: it is agreed",
    }
    page = client.get(reverse("scoring:version", args=[by_seniority.number])).content.decode()
    assert newest.said in page


def test_added_removed_and_renewed_words_are_told_apart(by_seniority):
    for verb in ("added", "deleted", "renewed"):
        AuditEntry.objects.create(
            verb=verb, object_kind="titleword", changes={"what": "poobah", "fields": []}
        )
    said = [(deed.who, deed.said) for deed in version_queries.deeds(by_seniority)[:3]]
    product = "An update of the product"
    assert set(said) == {
        (product, "added the word “poobah” after it was signed (words of job titles)"),
        (product, "removed the word “poobah” after it was signed (words of job titles)"),
        (product, "changed words that came with it after it was signed (words of job titles)"),
    }


def test_words_that_a_version_does_not_go_by_are_not_its_history(client, ana, by_seniority):
    client.force_login(ana)
    AuditEntry.objects.create(verb="added", object_kind="legalform", changes={"what": "oü"})
    first = ModelVersion.objects.active()  # asks for titles themselves
    edit(client, "owner", "director")
    assert not any("owner" in deed.said for deed in version_queries.deeds(first))
    assert not any("oü" in deed.said for deed in version_queries.deeds(by_seniority))


def test_a_version_out_of_force_is_moved_by_no_word(by_seniority):
    publishing.publish(by_seniority.pk, by=SYSTEM)
    while publishing.drain():
        pass
    after = put_in_force(drafting.clone_to_draft(by_seniority.pk, by=SYSTEM))
    AuditEntry.objects.create(
        at=now() + timedelta(hours=1), verb="added", object_kind="titleword", changes={"what": "x"}
    )
    by_seniority.refresh_from_db()
    assert by_seniority.retired_at
    assert not any("“x”" in deed.said for deed in version_queries.deeds(by_seniority))
    assert any("“x”" in deed.said for deed in version_queries.deeds(after))
