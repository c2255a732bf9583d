"""BANT: what a rep finds out about budget, authority, need and timeline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from leads.actors import Actor
from leads.models import Lead
from leads.refusals import Refused
from leads.stages import Stage
from sales.models import BantAnswer
from sales.rules import may_work_on

WITH_SALES = (Stage.MQL, Stage.SAL, Stage.SQL)
Letter, Verdict = BantAnswer.Letter, BantAnswer.Verdict


@dataclass(frozen=True)
class Line:
    """One letter and its newest answer; `answer` is None while nobody asked."""

    letter: str
    label: str | Promise
    answer: BantAnswer | None

    @property
    def verdict(self) -> str:
        return self.answer.verdict if self.answer else Verdict.UNKNOWN

    @property
    def evidence(self) -> str:
        return self.answer.evidence if self.answer else ""

    @property
    def verdict_label(self) -> str:
        return str(Verdict(self.verdict).label)

    @property
    def is_met(self) -> bool:
        return self.verdict == Verdict.MET


def record_answer(
    lead_id: int, letter: str, verdict: str, *, by: Actor, evidence: str = ""
) -> BantAnswer:
    """Write down one answer: see record_answers."""
    [answer] = record_answers(lead_id, [(letter, verdict, evidence)], by=by)
    return answer


@transaction.atomic
def record_answers(
    lead_id: int, answers: Iterable[tuple[str, str, str]], *, by: Actor
) -> list[BantAnswer]:
    """Write down (letter, verdict, evidence); the newest of a letter counts, older ones stay.

    Raises Refused when the lead is not with sales, is not theirs, or evidence is missing.
    """
    lead = Lead.objects.select_for_update(no_key=True).get(pk=lead_id)
    if lead.stage not in WITH_SALES:
        raise Refused(
            _("BANT is asked while sales works with a lead. %(name)s is in stage %(stage)s.")
            % {"name": lead.name, "stage": lead.get_stage_display()}
        )
    if by.user is not None and not may_work_on(by.user, lead):
        raise Refused(_("Only the owner, the team's manager or an admin records BANT answers."))
    return [_record(lead, *answer, by) for answer in answers]


def _record(lead: Lead, letter: str, verdict: str, evidence: str, by: Actor) -> BantAnswer:
    if verdict == Verdict.MET and not evidence.strip():
        raise Refused(
            _("%(letter)s: say how you know. An answer that is met needs evidence.")
            % {"letter": Letter(letter).label}
        )
    return BantAnswer.objects.create(
        lead=lead,
        cycle=lead.cycle,
        letter=Letter(letter),
        verdict=Verdict(verdict),
        evidence=evidence.strip()[:500],
        recorded_by=by.user,
    )


def newest_answers(lead: Lead) -> list[Line]:
    """All four letters of the lead's current cycle, in the order of the word."""
    return newest_answers_of([lead])[lead.pk]


def newest_answers_of(leads: Iterable[Lead]) -> dict[int, list[Line]]:
    """The same for many leads, in one query. Keys are lead ids."""
    cycles = {lead.pk: lead.cycle for lead in leads}
    rows = (
        BantAnswer.objects.filter(lead__in=cycles)
        .order_by("lead", "cycle", "letter", "-id")
        .distinct("lead", "cycle", "letter")
        .select_related("recorded_by")
    )
    newest = {(row.lead_id, row.letter): row for row in rows if row.cycle == cycles[row.lead_id]}
    return {
        lead_id: [
            Line(value, label, newest.get((lead_id, value))) for value, label in Letter.choices
        ]
        for lead_id in cycles
    }
