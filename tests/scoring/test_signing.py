"""Draft → in review → signed: two sides, two people, nothing changed in between."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils.timezone import localdate, now
from django.utils.translation import override

from leads.actors import Actor
from leads.models import AuditEntry
from leads.refusals import Conflict, Refused
from scoring import drafting, publishing, signing, terms, version_queries
from scoring.models import ModelVersion, Signal, Signature
from scoring.wording import describe
from tests.factories import UserFactory
from tests.scoring.stories import put_in_force, sign
from users.roles import Role

pytestmark = pytest.mark.django_db

SYSTEM = Actor.system("test")


@pytest.fixture
def draft(db) -> ModelVersion:
    return drafting.clone_to_draft(ModelVersion.objects.active().pk, by=SYSTEM)


@pytest.fixture
def in_review(draft) -> ModelVersion:
    return signing.submit(draft.pk, by=SYSTEM)


def raw(sql: str, *values) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, values)


def test_marketing_and_sales_sign(in_review, mia, mona):
    signing.sign(in_review.pk, by=Actor.of(mia))
    in_review.refresh_from_db()
    assert in_review.state == "in_review"
    signing.sign(in_review.pk, by=Actor.of(mona))
    in_review.refresh_from_db()
    assert in_review.state == "signed"
    said = [line.side.value for line in version_queries.sides(in_review) if line.signature]
    assert said == ["marketing", "sales"]
    verbs = AuditEntry.objects.filter(object_kind="scoring_version").values_list("verb", flat=True)
    assert set(verbs) == {"submitted", "signed", "agreed"}


def test_a_side_signs_once(in_review, mia):
    signing.sign(in_review.pk, by=Actor.of(mia))
    with pytest.raises(Conflict, match="has signed for Marketing already"):
        signing.sign(in_review.pk, by=Actor.of(UserFactory(role=Role.MARKETER)))


def test_nobody_signs_for_both_sides(in_review, mia):
    signing.sign(in_review.pk, by=Actor.of(mia))
    mia.role = Role.MANAGER
    mia.save(update_fields=["role"])
    with pytest.raises(Refused, match="Two different people"):
        signing.sign(in_review.pk, by=Actor.of(mia))


@pytest.mark.parametrize("role", [Role.ADMIN, Role.REP, ""])
def test_only_marketers_and_sales_managers_sign(in_review, role):
    with pytest.raises(Refused, match="A marketer signs for marketing"):
        signing.sign(in_review.pk, by=Actor.of(UserFactory(role=role)))


def test_a_draft_is_not_signed(draft, mia):
    with pytest.raises(Conflict, match="is not in review"):
        signing.sign(draft.pk, by=Actor.of(mia))


def test_who_sends_it_back_says_why_and_all_signatures_are_void(in_review, mia, mona):
    signing.sign(in_review.pk, by=Actor.of(mia))
    with pytest.raises(Refused, match="Say what is wrong"):
        signing.send_back(in_review.pk, by=Actor.of(mona))
    signing.send_back(in_review.pk, by=Actor.of(mona), reason="Too many trade fairs")
    in_review.refresh_from_db()
    assert in_review.is_draft and not Signature.objects.exists()
    assert version_queries.deeds(in_review)[0].reason == "Too many trade fairs"


def test_a_signed_version_that_is_given_up_is_never_published(draft, ana):
    sign(draft)
    signing.give_up(draft.pk, by=Actor.of(ana))
    draft.refresh_from_db()
    assert draft.state == "retired"
    with pytest.raises(Refused, match="was given up"):
        publishing.publish(draft.pk, by=SYSTEM)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"threshold": 140, "interest_ceiling": 80}, "No lead can reach 140"),
        ({"fit_ceiling": 400, "fit_cut": 300}, "Fit: the rules give at most"),
    ],
)
def test_a_threshold_that_the_rules_cannot_reach_is_not_submitted(draft, change, sentence):
    ModelVersion.objects.filter(pk=draft.pk).update(**change)
    draft.rules.filter(signal__axis="fit").exclude(signal__key="free_email").update(points=1)
    ModelVersion.objects.filter(pk=draft.pk).update(fit_cut=change.get("fit_cut", 0))
    with pytest.raises(Refused, match=sentence):
        signing.submit(draft.pk, by=SYSTEM)


def test_a_threshold_that_every_lead_meets_is_not_submitted(draft):
    ModelVersion.objects.filter(pk=draft.pk).update(threshold=-5)
    with pytest.raises(Refused, match="Every lead meets this threshold"):
        signing.submit(draft.pk, by=SYSTEM)


def test_postgresql_refuses_a_version_signed_by_fewer_than_two(in_review, mia):
    with pytest.raises(DatabaseError, match="does not change like that"):
        raw("UPDATE scoring_modelversion SET state = 'signed' WHERE id = %s", in_review.pk)
    signing.sign(in_review.pk, by=Actor.of(mia))
    with pytest.raises(DatabaseError, match="does not change like that"):
        raw("UPDATE scoring_modelversion SET state = 'signed' WHERE id = %s", in_review.pk)


def test_postgresql_refuses_what_skips_the_signatures(draft):
    for state in ("signed", "active", "retired"):
        with pytest.raises(DatabaseError):
            raw(f"UPDATE scoring_modelversion SET state = '{state}' WHERE id = %s", draft.pk)
    with pytest.raises(DatabaseError, match="must begin as a draft"):
        ModelVersion.objects.create(
            number=77, state="signed", threshold=1, fit_cut=0, interest_cut=0
        )


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE scoring_modelversion SET threshold = 1 WHERE id = %s",
        "UPDATE scoring_rule SET points = 1 WHERE version_id = %s",
        "DELETE FROM scoring_groupcap WHERE version_id = %s",
        "DELETE FROM scoring_modelversion WHERE id = %s",
    ],
)
def test_postgresql_refuses_to_change_what_was_submitted(in_review, sql):
    with pytest.raises(DatabaseError):
        raw(sql, in_review.pk)


def test_postgresql_keeps_signatures(draft):
    sign(draft)
    for sql in (
        "DELETE FROM scoring_signature",
        "UPDATE scoring_signature SET signed_at = now()",
        "SET LOCAL funnel.truncating = 'off'; TRUNCATE scoring_signature CASCADE",
    ):
        with pytest.raises(DatabaseError):
            raw(sql)


def test_a_review_is_remembered_and_confirmed(draft, mia, sam):
    put_in_force(draft)
    assert version_queries.due_reviews() == []
    ModelVersion.objects.filter(pk=draft.pk).update(review_due_on=localdate() - timedelta(days=1))
    (due,) = version_queries.due_reviews()
    assert due.is_overdue and due.version == draft
    with pytest.raises(Refused):
        signing.confirm_review(draft.pk, localdate() + timedelta(days=90), by=Actor.of(sam))
    with pytest.raises(Refused, match="within the next two years"):
        signing.confirm_review(draft.pk, localdate(), by=Actor.of(mia))
    signing.confirm_review(draft.pk, localdate() + timedelta(days=90), by=Actor.of(mia))
    assert version_queries.due_reviews() == []


def test_a_version_comes_into_force_on_its_date(draft, ana):
    ModelVersion.objects.filter(pk=draft.pk).update(effective_from=now() + timedelta(days=2))
    publishing.publish(sign(draft).pk, by=Actor.of(ana))
    assert publishing.drain() == 0
    assert ModelVersion.objects.active().number == 1
    publishing.call_off(draft.pk, by=Actor.of(ana))
    draft.refresh_from_db()
    assert draft.state == "signed"


def test_a_version_comes_into_force_when_its_date_has_come(draft, ana):
    ModelVersion.objects.filter(pk=draft.pk).update(effective_from=now() - timedelta(minutes=1))
    put_in_force(draft)
    assert ModelVersion.objects.active() == draft


def test_nobody_signs_what_was_changed_behind_an_open_page(in_review, mia):
    read = terms.fingerprint(in_review)
    signing.send_back(in_review.pk, by=SYSTEM)
    in_review.rules.filter(signal__key="demo").update(points=1)
    signing.submit(in_review.pk, by=SYSTEM)
    with pytest.raises(Conflict, match="was changed since you opened its page"):
        signing.sign(in_review.pk, by=Actor.of(mia), seen=read)


def test_the_change_log_compares_with_what_is_in_force(draft):
    other = drafting.clone_to_draft(ModelVersion.objects.active().pk, by=SYSTEM)
    other.rules.filter(signal__key="demo").update(points=30)
    put_in_force(other)
    changes = {change.what: (change.before, change.after) for change in terms.changes_of(draft)}
    assert changes["Asked for a demo"] == (30, 35)  # it would take that back


def test_what_waits_for_its_date_stands_in_nobodys_way(draft, ana):
    ModelVersion.objects.filter(pk=draft.pk).update(effective_from=now() + timedelta(days=2))
    publishing.publish(sign(draft).pk, by=Actor.of(ana))
    put_in_force(drafting.clone_to_draft(ModelVersion.objects.active().pk, by=SYSTEM))
    assert ModelVersion.objects.active().number == 3


def test_a_reason_may_hold_anything(in_review, mia):
    signing.send_back(in_review.pk, by=Actor.of(mia), reason="No\x00!")
    assert version_queries.deeds(in_review)[0].reason == "No!"


def a_signal(**fields) -> Signal:
    signal = Signal(**({"axis": "interest", "event_kind": "page_viewed"} | fields))
    drafting.prepare_signal(signal)
    signal.save()
    return signal


def test_nobody_signs_a_rule_whose_signal_counts_something_else_by_now(draft, mia):
    signal = a_signal(key="looks", label="Looks around", half_life_days=21)
    draft.rules.create(signal=signal, points=5)
    signing.submit(draft.pk, by=SYSTEM)
    read = terms.fingerprint(draft)
    signing.send_back(draft.pk, by=SYSTEM)
    Signal.objects.filter(pk=signal.pk).update(event_kind="email_opened", half_life_days=3650)
    signing.submit(draft.pk, by=SYSTEM)
    with pytest.raises(Conflict, match="was changed since you opened its page"):
        signing.sign(draft.pk, by=Actor.of(mia), seen=read)


def test_a_signature_holds_in_every_language(in_review, mia):
    with override("ko"):
        read = terms.fingerprint(in_review)
    signing.sign(in_review.pk, by=Actor.of(mia), seen=read)


def test_the_change_log_is_written_for_people(draft):
    """Nobody reads “was True”; of a new rule it says what it counts."""
    draft.rules.filter(signal__key="competitor").update(is_blocking=False)
    draft.rules.filter(signal__key="demo").update(is_blocking=True, points=40)
    looks = a_signal(key="looks", label="Looks around", half_life_days=21)
    draft.rules.create(signal=looks, points=5)
    draft.rules.filter(signal__key="spam").delete()
    said = {change.sentence for change in terms.changes_of(draft)}
    assert said == {
        "Works for a competitor blocks no longer",
        "Asked for a demo blocks, from now on",
        "Asked for a demo: 35 → 40",
        "Looks around: new, 5. Event “Page viewed”; counts every time; halves every 21 days.",
        "Marked an e-mail as spam: gone, was -40",
    }


def test_two_rules_that_are_called_alike_are_two_lines_of_the_change_log(draft):
    pricing = Signal.objects.get(key="pricing_page")
    twin = a_signal(key="twin", label=pricing.label)
    odd = a_signal(key="odd", label="threshold", event_kind="file_downloaded")
    points = draft.rules.get(signal=pricing).points
    draft.rules.filter(signal=pricing).update(signal=twin)
    draft.rules.create(signal=odd, points=60)
    ModelVersion.objects.filter(pk=draft.pk).update(threshold=45)
    draft.refresh_from_db()
    said = {change.what: (change.before, change.after) for change in terms.changes_of(draft)}
    assert len(said) == 4
    assert said["threshold"] == (60, 45)
    assert said[f"threshold ({describe(odd)})"] == (None, 60)
    assert said[f"{pricing.words} ({describe(pricing)})"] == (points, None)
    assert said[f"{pricing.words} ({describe(twin)})"] == (None, points)
