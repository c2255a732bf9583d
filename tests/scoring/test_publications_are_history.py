"""What came into force when stays as it was, says PostgreSQL, even in raw SQL."""

from __future__ import annotations

import pytest
from django.db import DatabaseError
from django.utils.timezone import now

from leads.actors import Actor
from scoring import drafting, publishing
from scoring.models import ModelVersion, Publication
from tests.scoring.stories import sign
from tests.scoring.test_signing import raw

pytestmark = pytest.mark.django_db


@pytest.fixture
def publication(ana) -> Publication:
    """A version that is in force, with all leads scored by it."""
    version = sign(drafting.clone_to_draft(ModelVersion.objects.active().pk, by=Actor.of(ana)))
    found = publishing.publish(version.pk, by=Actor.of(ana))
    while publishing.drain():
        pass
    found.refresh_from_db()
    assert found.activated_at and found.finished_at
    return found


@pytest.mark.parametrize(
    "change",
    [
        "activated_at = activated_at - interval '1 day'",
        "activated_at = NULL",
        "scope = 'new'",
        "is_rollback = true",
        "requested_by_id = NULL",
        "requested_at = requested_at - interval '1 day'",
        "version_id = (SELECT min(id) FROM scoring_modelversion)",
        "id = id + 1000",
    ],
)
def test_what_was_published_does_not_change(publication, change):
    with pytest.raises(DatabaseError, match="is history and does not change like that"):
        raw(f"UPDATE scoring_publication SET {change} WHERE id = %s", publication.pk)


def test_what_was_published_is_not_deleted(publication):
    with pytest.raises(DatabaseError, match="is history"):
        raw("DELETE FROM scoring_publication WHERE id = %s", publication.pk)
    with pytest.raises(DatabaseError):
        raw("TRUNCATE scoring_publication CASCADE")
    assert Publication.objects.filter(pk=publication.pk).exists()


def test_nobody_writes_a_publication_of_the_past(publication):
    with pytest.raises(DatabaseError, match="begins before it is activated"):
        Publication.objects.create(version=publication.version, activated_at=now())


def test_how_far_it_got_is_still_written(publication):
    raw(
        "UPDATE scoring_publication SET attempts = 3, error = 'x', recomputed_at = now(),"
        " finished_at = now(), held_count = 2, daily_handoffs = 5 WHERE id = %s",
        publication.pk,
    )
    publication.refresh_from_db()
    assert (publication.attempts, publication.held_count) == (3, 2)
