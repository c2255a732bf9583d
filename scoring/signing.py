"""From draft to signed: an admin submits, marketing and sales each sign, or one sends it back.

Submitted, a version cannot change any more. PostgreSQL refuses a version that is signed by
fewer than two people (migration 0011).
"""

from __future__ import annotations

from datetime import date, timedelta

from django.db import transaction
from django.db.models.functions import Now
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from leads import audit
from leads.actors import Actor
from leads.refusals import Conflict, Refused
from scoring import reach
from scoring.drafting import require_admin
from scoring.models import ModelVersion, Signature
from scoring.terms import fingerprint
from scoring.vocabulary import Axis
from users.roles import Role

State = ModelVersion.State
LATEST_REVIEW = timedelta(days=2 * 366)
SIDES = {Role.MARKETER: Signature.Side.MARKETING, Role.MANAGER: Signature.Side.SALES}


def side_of(role: str) -> str | None:
    """Which side somebody in this role signs for; None for who does not sign."""
    return SIDES.get(Role(role)) if role in SIDES else None


def _locked(version_id: int) -> ModelVersion:
    rows = ModelVersion.objects.select_for_update(no_key=True, of=("self",))
    return rows.select_related("model").get(pk=version_id)


def _move(version: ModelVersion, state: str, by: Actor, verb: str, reason: str = "") -> None:
    before, version.state = version.state, state
    version.save(update_fields=["state"])
    audit.record(
        by,
        verb,
        object_kind="scoring_version",
        object_id=version.pk,
        changes={"state": [str(before), str(state)]},
        reason=reason,
    )


@transaction.atomic
def submit(version_id: int, *, by: Actor) -> ModelVersion:
    """Have a draft reviewed. Raises Refused for who is no admin and for one that makes no sense."""
    require_admin(by)
    version = _locked(version_id)
    if version.state != State.DRAFT:
        raise Conflict(
            _("Version %(number)s is %(state)s already.")
            % {"number": version.number, "state": version.get_state_display().lower()}
        )
    require_sense(version)
    _move(version, State.IN_REVIEW, by, "submitted")
    return version


def require_sense(version: ModelVersion) -> None:
    """Raises Refused for a version by which no lead could become an MQL."""
    axes = set(version.rules.values_list("signal__axis", flat=True))
    missing = [str(Axis(axis).label) for axis in Axis.values if axis not in axes]
    if missing:
        raise Refused(
            _("Version %(number)s has no rule for: %(axes)s. No lead could become an MQL.")
            % {"number": version.number, "axes": ", ".join(missing)}
        )
    if problem := reach.find_problem(version):
        raise Refused(problem)


@transaction.atomic
def sign(version_id: int, *, by: Actor, seen: str | None = None) -> ModelVersion:
    """Sign for one's side. With the second signature, of somebody else, the version is signed.

    `seen`: terms.fingerprint of what the signer read. Raises Conflict when it says
    something else by now.
    """
    side = side_of(by.role)
    if side is None or by.user is None:
        raise Refused(_("A marketer signs for marketing, a sales manager for sales."))
    version = _locked(version_id)
    if version.state != State.IN_REVIEW:
        raise Conflict(_("Version %(number)s is not in review.") % {"number": version.number})
    if seen is not None and seen != fingerprint(version):
        raise Conflict(
            _("Version %(number)s was changed since you opened its page. Read it once more.")
            % {"number": version.number}
        )
    signed = {signature.side: signature for signature in version.signatures.all()}
    if side in signed:
        raise Conflict(
            _("%(who)s has signed for %(side)s already.")
            % {"who": signed[side].signed_by, "side": signed[side].get_side_display()}
        )
    if any(signature.signed_by_id == by.user.pk for signature in signed.values()):
        raise Refused(_("You have signed for the other side. Two different people must sign."))
    Signature.objects.create(version=version, side=side, signed_by=by.user)
    audit.record(
        by,
        "signed",
        object_kind="scoring_version",
        object_id=version.pk,
        changes={"side": ["", str(side)]},
    )
    if len(signed) == 1:
        _move(version, State.SIGNED, by, "agreed")
    return version


@transaction.atomic
def send_back(version_id: int, *, by: Actor, reason: str = "") -> ModelVersion:
    """Back to draft, signatures void: by an admin, or by a side that says what is wrong."""
    version = _locked(version_id)
    reason = reason.replace("\0", "").strip()[:500]
    is_admin = by.user is None or by.role == Role.ADMIN
    if not is_admin and side_of(by.role) is None:
        raise Refused(_("Only admins, marketers and sales managers send a version back."))
    if not is_admin and not reason:
        raise Refused(_("Say what is wrong with it, so that it can be mended."))
    if version.state != State.IN_REVIEW:
        raise Conflict(_("Version %(number)s is not in review.") % {"number": version.number})
    version.signatures.all().delete()
    _move(version, State.DRAFT, by, "sent_back", reason)
    return version


@transaction.atomic
def give_up(version_id: int, *, by: Actor) -> ModelVersion:
    """A signed version that will not be published after all is retired; clone it to go on."""
    require_admin(by)
    version = _locked(version_id)
    if version.state != State.SIGNED or version.publications.exists():
        raise Conflict(_("Only a signed version that nobody published can be given up."))
    ModelVersion.objects.filter(pk=version.pk).update(state=State.RETIRED, retired_at=Now())
    audit.record(by, "given_up", object_kind="scoring_version", object_id=version.pk)
    version.refresh_from_db()
    return version


@transaction.atomic
def confirm_review(version_id: int, next_on: date, *, by: Actor) -> ModelVersion:
    """The active version was reviewed and stays as it is; the next review is due `next_on`."""
    if by.user is not None and by.role not in (Role.ADMIN, *SIDES):
        raise Refused(_("Only admins, marketers and sales managers confirm a review."))
    if not localdate() < next_on <= localdate() + LATEST_REVIEW:
        raise Refused(_("The next review must lie within the next two years."))
    version = _locked(version_id)
    if version.state != State.ACTIVE:
        raise Conflict(_("Version %(number)s is not in force.") % {"number": version.number})
    before, version.review_due_on = version.review_due_on, next_on
    version.save(update_fields=["review_due_on"])
    audit.record(
        by,
        "reviewed",
        object_kind="scoring_version",
        object_id=version.pk,
        changes={"review_due_on": [before.isoformat() if before else None, next_on.isoformat()]},
    )
    return version
