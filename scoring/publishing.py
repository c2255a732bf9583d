"""From draft to active. Only admins start it, and each step can be taken up again.

New signals are counted (in chunks) → the version is activated (one commit) → all
leads are scored anew → who became ready moves on. A Publication row remembers how
far it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import structlog
from django.db import connection, transaction
from django.db.models import F, QuerySet
from django.db.models.functions import Now
from django.utils.timezone import now
from django.utils.translation import gettext as _

from leads.actors import Actor
from leads.hints import hint
from leads.models import Lead
from leads.refusals import Conflict, Refused
from leads.standing import settle_standings
from scoring import crossing, folding, rescore
from scoring.drafting import require_admin
from scoring.formula import Weights, scores_query
from scoring.models import ModelVersion, Publication, Signal
from scoring.vocabulary import Axis

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Preview:
    """What publishing a version now would change: leads whose "promising" flag turns.

    `moving_count` of those that enter are waiting as Qualified leads: they become MQLs.
    """

    enter_count: int
    leave_count: int
    stay_count: int
    moving_count: int
    enter: list[Lead]
    leave: list[Lead]


MOST_NAMED = 20


@transaction.atomic
def preview(version: ModelVersion) -> Preview:
    """Score all leads by this version without writing anything. One pass over the features."""
    rescore.set_limits()
    as_of = folding.database_instant()
    fresh = scores_query(Weights.of(version))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT fresh.lead_id, fresh.is_promising, coalesce(s.is_promising, false)
              FROM ({fresh}) fresh LEFT JOIN leads_standing s ON s.lead_id = fresh.lead_id
             WHERE fresh.is_promising OR s.is_promising ORDER BY fresh.score DESC, fresh.lead_id
            """,
            {"as_of": as_of},
        )
        rows = cursor.fetchall()
    enter = [lead_id for lead_id, will, was in rows if will and not was]
    leave = [lead_id for lead_id, will, was in rows if was and not will]
    return Preview(
        enter_count=len(enter),
        leave_count=len(leave),
        stay_count=len(rows) - len(enter) - len(leave),
        moving_count=crossing.waiting_leads(enter).count(),
        enter=_named(enter[:MOST_NAMED]),
        leave=_named(leave[:MOST_NAMED]),
    )


def _named(lead_ids: list[int]) -> list[Lead]:
    leads = Lead.objects.select_related("standing").in_bulk(lead_ids)
    return [leads[lead_id] for lead_id in lead_ids if lead_id in leads]


@transaction.atomic
def publish(version_id: int, *, by: Actor) -> Publication:
    """Put a draft into force. Refused unless by an admin and the draft makes sense.

    With no signal left to count it is active when this returns; scoring all
    leads follows in the background either way.
    """
    require_admin(by)
    version = ModelVersion.objects.select_for_update(no_key=True).get(pk=version_id)
    if not version.is_draft or Publication.objects.filter(version=version).exists():
        raise Conflict(
            _("Version %(number)s is published already or on its way. Clone it to change it.")
            % {"number": version.number}
        )
    if running := Publication.objects.filter(finished_at=None).select_related("version").first():
        raise Conflict(_in_the_way(running))
    _require_sense(version)
    publication = Publication.objects.create(version=version, requested_by=by.user)
    if not signals_to_count(version):
        _activate(publication)
    transaction.on_commit(partial(hint, "scoring.tasks.publish"), robust=True)
    return publication


def _in_the_way(publication: Publication) -> str:
    number = {"number": publication.version.number}
    if publication.is_stopped:
        return _("Version %(number)s stopped on its way. Let it go on first.") % number
    return _("Version %(number)s is being published. Wait until it is done.") % number


def _require_sense(version: ModelVersion) -> None:
    axes = set(version.rules.values_list("signal__axis", flat=True))
    missing = [str(Axis(axis).label) for axis in Axis.values if axis not in axes]
    if missing:
        raise Refused(
            _("Version %(number)s has no rule for: %(axes)s. No lead could become an MQL.")
            % {"number": version.number, "axes": ", ".join(missing)}
        )


def signals_to_count(version: ModelVersion) -> list[Signal]:
    """Signals of this version for which the events of all leads were not yet searched."""
    return list(Signal.objects.filter(rules__version=version, counted_at=None))


def _activate(publication: Publication) -> None:
    """Retire the active version and activate the new one, while no lead is being folded."""
    rescore.set_limits()
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE scoring_leadfeature IN SHARE ROW EXCLUSIVE MODE")
    State = ModelVersion.State
    ModelVersion.objects.filter(state=State.ACTIVE).update(state=State.RETIRED, retired_at=Now())
    ModelVersion.objects.filter(pk=publication.version_id).update(
        state=State.ACTIVE, published_at=Now(), published_by=publication.requested_by
    )
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
    return Publication.objects.filter(finished_at=None, attempts__lt=Publication.MOST_ATTEMPTS)


def _drain_publication() -> int:
    publication = _under_way().order_by("pk").first()
    if publication is None:
        return 0
    mine = Publication.objects.filter(pk=publication.pk)
    mine.update(attempts=F("attempts") + 1)
    try:
        took_step = _step(publication.pk)
    except Exception as error:
        log.exception("publication_failed", publication=publication.pk)
        mine.update(error=f"{type(error).__name__}: {error}"[:500])
        return 0
    if took_step:
        mine.update(attempts=0, error="")
    return int(took_step)


@transaction.atomic
def resume(version_id: int, *, by: Actor) -> Publication:
    """Let the publication of this version, which stopped, go on where it was.

    Raises Refused for who is no admin, Conflict when it goes on already or is done.
    """
    require_admin(by)
    rows = Publication.objects.select_for_update(no_key=True, of=("self",))
    publication = rows.select_related("version").filter(version=version_id).first()
    if publication is None or not publication.is_stopped:
        raise Conflict(_("This publication does not stand still: somebody was faster."))
    publication.attempts = 0
    publication.save(update_fields=["attempts"])
    log.info("publication_resumed", version=publication.version.number, by=by.label)
    transaction.on_commit(partial(hint, "scoring.tasks.publish"), robust=True)
    return publication


def _step(publication_id: int) -> bool:
    """Do the next thing to do. False when another process is at it."""
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
