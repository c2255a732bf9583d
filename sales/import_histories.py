"""News of imported histories: hand-offs and opportunities follow many leads at once."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from leads.actors import Actor
from leads.models import Lead, StageEpisode
from leads.stages import Stage
from sales import handoff, opportunities
from sales.models import Handoff, Opportunity

WITH_A_DEAL = (Stage.SAL, Stage.SQL)


def follow_histories(sender: object, leads: Sequence[Lead], by: Actor, **_news: object) -> None:
    """Runs inside the transaction of the import, with the leads' rows locked or just created.

    What rests in MQL is submitted afterwards, by handoff.open_missing.
    """
    _withdraw([lead for lead in leads if lead.stage != Stage.MQL], by)
    _close([lead for lead in leads if lead.stage not in WITH_A_DEAL], by)
    _open([lead for lead in leads if lead.stage == Stage.SQL])


def _withdraw(leads: Sequence[Lead], by: Actor) -> None:
    waiting = Handoff.objects.open().filter(lead__in=leads).values_list("lead_id", flat=True)
    for lead in _those(leads, waiting):
        note = _("Imported as %(stage)s") % {"stage": lead.get_stage_display()}
        handoff.withdraw(lead, by=by, at=lead.stage_entered_at, note=note)


def _close(leads: Sequence[Lead], by: Actor) -> None:
    still_open = Opportunity.objects.open().filter(lead__in=leads).values_list("lead_id", flat=True)
    for lead in _those(leads, still_open):
        newest = StageEpisode.objects.get(lead=lead, left_at=None)
        opportunities.close_left_behind(lead, newest, by=by)


def _open(leads: Sequence[Lead]) -> None:
    Opportunity.objects.bulk_create(
        (
            Opportunity(
                lead=lead,
                cycle=lead.cycle,
                name=(lead.company or lead.name)[:200],
                opened_at=lead.stage_entered_at,
            )
            for lead in leads
        ),
        ignore_conflicts=True,
    )


def _those(leads: Sequence[Lead], lead_ids) -> list[Lead]:
    wanted = set(lead_ids)
    return [lead for lead in leads if lead.pk in wanted]
