"""From signed to active. Only admins start it, and each step can be taken up again.

New signals are counted (in chunks) → the version is activated (one commit) → all
leads are scored anew → who became ready moves on. A Publication row remembers how
far it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import Max, Q, QuerySet
from django.db.models.functions import Now
from django.utils.timezone import now
from django.utils.translation import gettext as _

from leads import audit
from leads.actors import Actor
from leads.hints import hint
from leads.models import Lead
from leads.refusals import Conflict, Refused
from leads.standing import settle_standings
from scoring import crossing, governing, holding, rescore
from scoring.choosing import EVERYBODY
from scoring.drafting import require_admin
from scoring.models import ModelVersion, Publication, Signal

log = structlog.get_logger(__name__)


MOST_HANDOFFS = 10_000  # a day


@dataclass(frozen=True)
class Plan:
    """How to publish: for all leads anew or new ones only, and how many hand-offs a day."""

    scope: str = Publication.Scope.ALL
    daily_handoffs: int | None = None

    def check(self) -> None:
        if self.scope not in Publication.Scope.values:
            raise Refused(_("Say for whom: all leads anew, or new leads only."))
        if self.daily_handoffs is not None and not 1 <= self.daily_handoffs <= MOST_HANDOFFS:
            raise Refused(
                _("Hand-offs a day: a whole number from 1 to %(most)s.") % {"most": MOST_HANDOFFS}
            )


FOR_ALL = Plan()


@transaction.atomic
def publish(version_id: int, *, by: Actor, plan: Plan = FOR_ALL) -> Publication:
    """Put a signed version into force, or bring back one that retired.

    Raises Refused unless by an admin. With no signal left to count, and its instant reached,
    it is active when this returns; scoring all leads follows in the background either way.
    A version that comes back does so for the leads that it scored before.
    """
    require_admin(by)
    plan.check()
    with connection.cursor() as cursor:
        # Two that are asked for at once: the second sees that the first is under way.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext('scoring_publication'))")
    version = ModelVersion.objects.select_for_update(no_key=True).get(pk=version_id)
    is_rollback = version.state == ModelVersion.State.RETIRED
    _require_publishable(version, plan)
    publication = Publication.objects.create(
        version=version,
        requested_by=by.user,
        scope=Publication.Scope.ALL if is_rollback else plan.scope,
        is_rollback=is_rollback,
        daily_handoffs=plan.daily_handoffs,
    )
    audit.record(
        by,
        "brought_back" if is_rollback else "published",
        object_kind="scoring_version",
        object_id=version.pk,
        changes={"scope": ["", publication.scope], "daily": [None, plan.daily_handoffs]},
    )
    if not publication.is_waiting and not signals_to_count(version):
        _activate(publication)
    transaction.on_commit(partial(hint, "scoring.tasks.publish"), robust=True)
    return publication


def _require_publishable(version: ModelVersion, plan: Plan) -> None:
    """Raises Conflict or Refused with what stands against publishing this version so."""
    State = ModelVersion.State
    if version.publications.filter(finished_at=None).exists() or version.state == State.ACTIVE:
        raise Conflict(
            _("Version %(number)s is published already or on its way. Clone it to change it.")
            % {"number": version.number}
        )
    if version.state == State.RETIRED and version.published_at is None:
        raise Refused(
            _("Version %(number)s was given up. Clone it to go on from there.")
            % {"number": version.number}
        )
    if version.state not in (State.SIGNED, State.RETIRED):
        raise Refused(
            _("Version %(number)s is not signed by marketing and sales yet.")
            % {"number": version.number}
        )
    if under_way := running().first():
        raise Conflict(_in_the_way(under_way))
    if plan.scope == Publication.Scope.NEW and is_first_of_model(version):
        raise Refused(
            _("The first version of a model scores all leads that belong to it: choose that.")
        )


def running() -> QuerySet[Publication]:
    """Publications that are not done, but for those that wait for their date."""
    waits = Q(activated_at=None, version__effective_from__gt=Now())
    return Publication.objects.filter(finished_at=None).exclude(waits).select_related("version")


def is_first_of_model(version: ModelVersion) -> bool:
    """Whether no version of its model is in force, so nobody's leads could stay with one."""
    active = ModelVersion.objects.in_force().filter(model=version.model_id)
    return not active.exists()


def _in_the_way(publication: Publication) -> str:
    number = {"number": publication.version.number}
    if publication.is_stopped:
        return _("Version %(number)s stopped on its way. Let it go on first.") % number
    return _("Version %(number)s is being published. Wait until it is done.") % number


@transaction.atomic
def call_off(version_id: int, *, by: Actor) -> None:
    """Take back a publication that waits for its date; the version stays signed."""
    require_admin(by)
    rows = Publication.objects.select_for_update(no_key=True, of=("self",))
    waiting = rows.select_related("version").filter(version=version_id, finished_at=None).first()
    if waiting is None or waiting.activated_at is not None:
        raise Conflict(_("It is in force already, or nobody asked for it."))
    audit.record(by, "called_off", object_kind="scoring_version", object_id=version_id)
    waiting.delete()


def signals_to_count(version: ModelVersion) -> list[Signal]:
    """Signals of this version for which the events of all leads were not yet searched."""
    return list(Signal.objects.filter(rules__version=version, counted_at=None))


def _activate(publication: Publication) -> None:
    """Retire the active version of its model and activate this one, while no lead is folded."""
    rescore.set_limits()
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE scoring_leadfeature IN SHARE ROW EXCLUSIVE MODE")
    State = ModelVersion.State
    version = publication.version
    active = ModelVersion.objects.filter(state=State.ACTIVE, model=version.model_id)
    former = active.first()
    active.update(state=State.RETIRED, retired_at=Now())
    changes: dict[str, Any] = {"state": State.ACTIVE}
    if publication.is_rollback:
        changes["retired_at"] = None
    else:
        changes |= {"published_at": Now(), "published_by": publication.requested_by}
        changes["replaces"] = former
        if publication.scope == Publication.Scope.NEW and former:
            changes["after_lead_id"] = Lead.objects.aggregate(last=Max("pk"))["last"] or 0
    ModelVersion.objects.filter(pk=version.pk).update(**changes)
    if former is None:
        # The model has its first version: from now on leads belong to it.
        governing.assign_models(EVERYBODY)
    _note(publication, "activated_at")


def count_some() -> bool:
    """Search the events of the next leads for a signal that is new. False when none is.

    Not only for publishing: a preview should know new signals as well.
    """
    with transaction.atomic():
        waiting = Signal.objects.filter(counted_at=None).order_by("ordinal")
        signal = waiting.select_for_update(skip_locked=True, no_key=True).first()
        if signal is None:
            return False
        rows = Lead.objects.filter(pk__gt=signal.counted_to_lead_id).order_by("pk")
        lead_ids = list(rows.values_list("pk", flat=True)[: rescore.FEW_SIGNALS_CHUNK])
        if lead_ids:
            # What no active version weighs moves no score.
            rescore.count_again(lead_ids, [signal])
            signal.counted_to_lead_id = lead_ids[-1]
        else:
            signal.counted_at = now()
        signal.save(update_fields=["counted_to_lead_id", "counted_at"])
    if signal.inactive_days or signal.window_days:
        rescore.turn()  # what time has changed since the leads were folded
    return True


def drain(limit: int = 1) -> int:
    """Take the oldest publication a step further, or count a new signal. Returns steps taken.

    A publication that fails five times in a row stops, with its error, until `resume`.
    """
    if _under_way().exists():
        return _drain_publication()
    try:
        return int(count_some())
    except Exception:
        log.exception("counting_failed")
        return 0


def _under_way() -> QuerySet[Publication]:
    is_due = Q(version__effective_from=None) | Q(version__effective_from__lte=Now())
    return Publication.objects.filter(
        is_due, finished_at=None, attempts__lt=Publication.MOST_ATTEMPTS
    )


def _drain_publication() -> int:
    publication_id = _claim()
    if publication_id is None:
        return 0
    mine = Publication.objects.filter(pk=publication_id)
    try:
        took_step = _step(publication_id)
    except Exception as error:
        log.exception("publication_failed", publication=publication_id)
        mine.update(error=f"{type(error).__name__}: {error}"[:500])
        return 0
    if took_step:
        mine.update(attempts=0, error="")
    return int(took_step)


@transaction.atomic
def _claim() -> int | None:
    """Commit one more attempt for the oldest publication; None while another process is at it."""
    for oldest in _under_way().order_by("pk")[:1]:
        rows = Publication.objects.select_for_update(skip_locked=True)
        for publication in rows.filter(pk=oldest.pk):
            publication.attempts += 1
            publication.save(update_fields=["attempts"])
            return publication.pk
    return None


@transaction.atomic
def resume(version_id: int, *, by: Actor) -> Publication:
    """Let the publication of this version, which stopped, go on where it was.

    Raises Refused for who is no admin, Conflict when it goes on already or is done.
    """
    require_admin(by)
    rows = Publication.objects.select_for_update(no_key=True, of=("self",))
    publication = (
        rows.select_related("version").filter(version=version_id, finished_at=None).first()
    )
    if publication is None or not publication.is_stopped:
        raise Conflict(_("This publication does not stand still: somebody was faster."))
    publication.attempts = 0
    publication.save(update_fields=["attempts"])
    log.info("publication_resumed", version=publication.version.number, by=by.label)
    transaction.on_commit(partial(hint, "scoring.tasks.publish"), robust=True)
    return publication


def _step(publication_id: int) -> bool:
    """Do the next thing to do. False when another process is at it."""
    if Publication.objects.exclude(activated_at=None).filter(pk=publication_id, recomputed_at=None):
        rescore.turn()  # in small portions, before all leads are scored under one lock
    with transaction.atomic():
        rows = Publication.objects.select_for_update(skip_locked=True, of=("self",))
        publication = rows.filter(pk=publication_id, finished_at=None).first()
        if publication is None:
            return False
        if signals_to_count(publication.version):
            return count_some()
        if publication.activated_at is None:
            _activate(publication)
            return True
        if publication.recomputed_at is None:
            with holding.hold_the_newly_ready(publication, crossing.waiting_leads):
                rescore.recompute_all()
            _note(publication, "recomputed_at")
            return True
    settle_standings()
    # One transaction per lead: a lead that cannot move holds up no other.
    crossing.promote()
    _note(publication, "finished_at")
    return True


def _note(publication: Publication, step: str) -> None:
    setattr(publication, step, now())
    publication.save(update_fields=[step])
