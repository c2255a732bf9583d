"""What sales adds to a lead's timeline."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext as _

from leads import timeline
from leads.actors import ActorKind
from leads.models import Lead
from leads.timeline import Entry
from sales.models import BantAnswer, Handoff, HandoffEvent

Kind = HandoffEvent.Kind
ICONS: dict[str, str] = {Kind.ACCEPTED: "check", Kind.REJECTED: "x"}


def handoffs(lead: Lead, before: datetime | None, limit: int) -> list[Entry]:
    """Submissions, assignments and decisions."""
    events = HandoffEvent.objects.filter(handoff__lead=lead).order_by("-at", "-id")
    if before is not None:
        events = events.filter(at__lt=before)
    events = events.select_related("assignee", "handoff__reject_reason")
    return [
        Entry(
            at=event.at,
            key=f"handoff-{event.pk:012}",
            title=_title(event),
            detail=_detail(event),
            icon=ICONS.get(event.kind, "handoff"),
            actor=event.actor_label,
        )
        for event in events[:limit]
    ]


def _title(event: HandoffEvent) -> str:
    if event.assignee_id:
        return _("Hand-off assigned to %(who)s") % {"who": event.assignee}
    return _("Hand-off %(what)s") % {"what": event.get_kind_display()}


def _detail(event: HandoffEvent) -> str:
    """People's notes as they are; routing's own codes in words."""
    if event.actor_kind == ActorKind.RULE:
        words = dict(Handoff.QueueReason.choices) | dict(Handoff.Route.choices)
        return str(words.get(event.note, event.note))
    if event.kind == Kind.REJECTED and event.handoff.reject_reason:
        reason = _(event.handoff.reject_reason.label)
        return f"{reason}: {event.note}" if event.note else reason
    return event.note


def bant(lead: Lead, before: datetime | None, limit: int) -> list[Entry]:
    """BANT answers."""
    answers = BantAnswer.objects.filter(lead=lead).order_by("-recorded_at", "-id")
    if before is not None:
        answers = answers.filter(recorded_at__lt=before)
    return [
        Entry(
            at=answer.recorded_at,
            key=f"bant-{answer.pk:012}",
            title=f"{answer.get_letter_display()}: {answer.get_verdict_display()}",
            detail=answer.evidence,
            icon="question",
            actor=str(answer.recorded_by or ""),
        )
        for answer in answers.select_related("recorded_by")[:limit]
    ]


def register_sources() -> None:
    timeline.register_source("handoffs", handoffs)
    timeline.register_source("bant", bant)
