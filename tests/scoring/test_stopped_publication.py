"""A publication that failed again and again says so, and an admin lets it go on."""

from __future__ import annotations

import pytest
from django.urls import reverse

from leads.actors import Actor
from leads.refusals import Conflict, Refused
from scoring import drafting, publishing, rescore
from scoring.models import ModelVersion, Publication
from tests.scoring.stories import activated, sign

pytestmark = pytest.mark.django_db
PAGE = reverse("scoring:model")


@pytest.fixture
def stopped(ana, monkeypatch) -> Publication:
    """Version 2 is in force, and scoring all leads failed five times."""
    draft = drafting.clone_to_draft(ModelVersion.objects.get().pk, by=Actor.of(ana))
    with monkeypatch.context() as patch:
        patch.setattr(rescore, "recompute_all", lambda: 1 / 0)
        publication = publishing.publish(sign(draft).pk, by=Actor.of(ana))
        for _attempt in range(9):
            publishing.drain()
    publication.refresh_from_db()
    assert publication.is_stopped and publication.attempts == 5
    return publication


def resume_url(publication: Publication) -> str:
    return reverse("admin:scoring_modelversion_resume", args=[publication.version_id])


def test_an_admin_reads_the_error_and_lets_it_go_on(client, ana, stopped):
    client.force_login(ana)
    page = client.get(PAGE).content.decode()
    assert "Publishing version 2 stopped after 5 failed attempts." in page
    assert "It is in force, but not all leads are scored by it yet." in page
    assert "The last attempt failed: ZeroDivisionError" in page
    assert f'action="{resume_url(stopped)}"' in page and 'hx-trigger="every' not in page
    answer = client.post(resume_url(stopped), follow=True)
    assert "Publishing version 2 goes on." in answer.content.decode()
    while publishing.drain():
        pass
    stopped.refresh_from_db()
    assert (stopped.finished_at is not None, stopped.error) == (True, "")
    assert "stopped" not in client.get(PAGE).content.decode()


def test_the_admin_page_of_the_version_leads_there(client, ana, stopped):
    client.force_login(ana)
    change = reverse("admin:scoring_modelversion_change", args=[stopped.version_id])
    assert "Publishing this version stopped." in client.get(change).content.decode()


def test_others_learn_that_it_stands_still_and_no_more(client, mia, stopped):
    client.force_login(mia)
    page = client.get(PAGE).content.decode()
    assert "An admin can let it go on." in page
    assert "ZeroDivisionError" not in page and resume_url(stopped) not in page
    assert client.post(resume_url(stopped)).status_code == 403
    with pytest.raises(Refused, match="Only admins"):
        publishing.resume(stopped.version_id, by=Actor.of(mia))


def test_a_process_that_ended_each_time_left_no_error(client, ana, stopped):
    Publication.objects.update(error="")
    activated(None)
    client.force_login(ana)
    page = client.get(PAGE).content.decode()
    assert "The process ended each time before it was done." in page
    assert "The version before it stays in force." in page


def test_the_second_admin_learns_that_it_goes_on_already(client, ana, stopped):
    client.force_login(ana)
    assert client.get(resume_url(stopped)).status_code == 405
    client.post(resume_url(stopped))
    answer = client.post(resume_url(stopped), follow=True)
    assert "somebody was faster" in answer.content.decode()


def test_another_version_is_told_what_is_in_its_way(ana, stopped):
    draft = sign(drafting.clone_to_draft(stopped.version_id, by=Actor.of(ana)))
    with pytest.raises(Conflict, match="Version 2 stopped on its way"):
        publishing.publish(draft.pk, by=Actor.of(ana))
