"""Two who publish at the same moment: one does, the other one reads why not."""

from __future__ import annotations

import pytest
from django.db import connection

from leads.actors import Actor
from leads.refusals import Conflict
from scoring import drafting, publishing
from scoring.models import ModelVersion, Publication
from tests.sales.test_concurrency import at_once
from tests.scoring.stories import SYSTEM, put_in_force, sign

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("round_number", range(3))
def test_only_one_version_is_on_its_way(ana, round_number):
    first = ModelVersion.objects.active()
    for _round in range(3):
        put_in_force(drafting.clone_to_draft(first.pk, by=SYSTEM))
    retired = ModelVersion.objects.filter(state="retired")
    outcomes = at_once(
        *(lambda v=v: publishing.publish(v.pk, by=Actor.of(ana)) for v in retired),
    )
    [done] = [outcome for outcome in outcomes if isinstance(outcome, Publication)]
    assert all(isinstance(outcome, Publication | Conflict) for outcome in outcomes), outcomes
    assert ModelVersion.objects.active() == done.version
    assert publishing.running().count() == 1


def test_whoever_comes_while_another_process_is_at_it_finds_nothing_and_does_not_wait(ana):
    draft = drafting.clone_to_draft(ModelVersion.objects.active().pk, by=SYSTEM)
    publication = publishing.publish(sign(draft).pk, by=Actor.of(ana))
    other = connection.copy()
    try:
        other.set_autocommit(False)
        with other.cursor() as cursor:
            cursor.execute("SELECT FROM scoring_publication FOR UPDATE")
            with connection.cursor() as ours:
                ours.execute("SET lock_timeout = '200ms'")
            assert publishing.drain() == 0
        publication.refresh_from_db()
        assert (publication.attempts, publication.error) == (0, "")
    finally:
        other.close()
    assert publishing.drain() == 1
