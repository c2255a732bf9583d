"""All stored events judged again, slice by slice: a drain.

A run's place and what it changed are committed together, so it may be killed anywhere and
goes on where it was. The lock of the attaching is held for each slice: whatever is attached
later is judged by the rules as they are now, and the run need not look at it.
"""

from __future__ import annotations

import logging

from django.db import connection, transaction
from django.db.models import F, Max
from django.utils.timezone import now
from django.utils.translation import gettext as _

from leads import audit
from leads.actors import Actor
from leads.refusals import Conflict
from tracking.models import Event, PendingEvent, VerdictRun
from tracking.verdicts import behaviour, checking, refinding, staff
from tracking.verdicts.restating import hold_attaching, restate
from tracking.verdicts.settling import Settled, settle, settle_anew

log = logging.getLogger(__name__)

MOST_ATTEMPTS = 5
SLICE = 5_000  # ids; a tenth of a second


def drain(limit: int = 1) -> int:
    """Go through up to `limit` slices of the oldest run. Returns how many; 0 also when events
    wait to be attached, which go first."""
    taken = 0
    while taken < limit and (run_id := _claim()) is not None:
        try:
            _go_on(run_id)
        except Exception as error:
            log.exception("The verdict run %s failed.", run_id)
            VerdictRun.objects.filter(pk=run_id).update(error=repr(error)[:500])
        taken += 1
        if PendingEvent.objects.filter(attempts=0).exists():
            return 0
    return taken


@transaction.atomic
def resume(run_id: int, *, by: Actor) -> None:
    """Let a run that failed too often go on. Raises Conflict when it is going on already."""
    run = VerdictRun.objects.select_for_update(no_key=True).get(pk=run_id)
    if run.finished_at or run.attempts < MOST_ATTEMPTS:
        raise Conflict(_("This is done already, or going on."))
    run.attempts, run.error = 0, ""
    run.save(update_fields=["attempts", "error"])
    audit.record(by, "resumed", object_kind="verdict_run", object_id=run.pk)


def _claim() -> int | None:
    """The oldest run that nobody works on, one more attempt committed."""
    with transaction.atomic():
        runs = VerdictRun.objects.select_for_update(skip_locked=True, no_key=True)
        run = runs.filter(finished_at=None, attempts__lt=MOST_ATTEMPTS).order_by("id").first()
        if run is None:
            return None
        VerdictRun.objects.filter(pk=run.pk).update(attempts=F("attempts") + 1)
        return run.pk


@transaction.atomic
def _go_on(run_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '60s'")
    hold_attaching()
    run = VerdictRun.objects.select_for_update(no_key=True).get(pk=run_id)
    if run.finished_at is not None:
        return
    if run.upto is None:
        _begin(run)
    _judge_slice(run)
    run.attempts, run.error = 0, ""
    run.finished_at = now() if run.reached >= (run.upto or 0) else None
    run.save()


def _begin(run: VerdictRun) -> None:
    newest = Event.objects.aggregate(newest=Max("id"))["newest"] or 0
    oldest = Event.objects.order_by("id").values_list("id", flat=True).first() or 1
    run.upto, run.reached = newest, max(run.reached, oldest - 1)


def _judge_slice(run: VerdictRun) -> None:
    until = min(run.reached + SLICE, run.upto or 0)
    slice_ = {"above": run.reached, "until": until}
    changed = _settle(run.cause, slice_)
    run.changed_count += restate(changed, cause=run.cause, rule_id=run.rule_id)
    run.changed_count += len(staff.note_browsers(changed))
    run.reached = until


def _settle(cause: str, slice_: dict[str, int]) -> list[Settled]:
    """What becomes something else; a signal whose thresholds were edited is looked for anew.

    One that says nothing is not looked for, also when events arrive: what was found stays.
    """
    which = "e.id > %(above)s AND e.id <= %(until)s"
    limits = behaviour.thresholds(cause) if cause in refinding.THRESHOLDED else {}
    if (limit := limits.get(cause)) is None:
        return settle(which, slice_)
    if cause == "no_page_beacon":
        checking.ask_again(**slice_, seconds=limit.seconds)
    return settle_anew(which, slice_, cause, refinding.find(cause, limit, **slice_))
