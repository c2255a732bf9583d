"""Crossing the threshold: a promising Qualified lead becomes an MQL, exactly once.

Upwards only. That a score falls again takes nobody back from sales.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils.timezone import localdate
from django.utils.translation import gettext as _

from leads import criteria, lifecycle
from leads.actors import Actor
from leads.models import Lead, StageEpisode
from leads.refusals import Refused
from leads.stages import Stage
from scoring import holding

log = structlog.get_logger(__name__)


def waiting_leads(lead_ids: Sequence[int] | None = None) -> QuerySet[Lead]:
    """Qualified leads that may become MQLs as soon as they are promising."""
    waiting = holding.without_held(Lead.objects.filter(stage=Stage.QUALIFIED))
    asked = criteria.asked_of(Stage.QUALIFIED)
    if criteria.WAITING_TIME in asked:
        waiting = waiting.filter(Q(not_before_on=None) | Q(not_before_on__lte=localdate()))
    if criteria.NEW_ACTIVITY in asked:
        # A cycle after the first begins with this stage; a merge taken apart does not begin it.
        beginning = StageEpisode.objects.filter(
            lead=OuterRef("pk"), cycle=OuterRef("cycle"), starts_cycle=True
        )
        is_active = Q(last_activity__at__gt=Subquery(beginning.values("entered_at")[:1]))
        waiting = waiting.filter(Q(cycle=1) | is_active)
    return waiting if lead_ids is None else waiting.filter(pk__in=lead_ids)


def promote(lead_ids: Sequence[int] | None = None) -> int:
    """Advance those of these leads (None: of all) that are ready. Returns how many moved.

    The lifecycle asks all criteria again under the lead's lock, so a lead that
    somebody else moved meanwhile, or that lacks another criterion, stays.
    """
    if lead_ids is not None and not lead_ids:
        return 0
    ready = waiting_leads(lead_ids).filter(standing__is_promising=True).order_by("pk")
    rows = ready.values_list("pk", "episode_seq", "standing__model_version")
    return sum(_advance(*row) for row in list(rows))


def _advance(lead_id: int, seq: int, model_number: int | None) -> bool:
    by = Actor.rule(_("Scoring model v%(number)s") % {"number": model_number})
    try:
        with transaction.atomic():
            lifecycle.advance(lead_id, Stage.MQL, by=by, expected_seq=seq)
    except Refused as refusal:
        log.info("not_promoted", lead=lead_id, why=str(refusal))
        return False
    holding.let_go([lead_id])
    return True
