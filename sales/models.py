"""Hand-offs: an MQL is proposed to sales, and sales decides. Deals: deal_models.py.

What PostgreSQL itself refuses (changing a decided hand-off, editing a log) is
in migration 0002.
"""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from leads.actors import ActorKind
from leads.models import Lead, StageEpisode, Standing
from sales.deal_models import BantAnswer, Opportunity, Product
from users.models import Team, User
from users.roles import Role

__all__ = ["BantAnswer", "Handoff", "HandoffEvent", "Opportunity", "Product", "RejectReason"]


class RejectReason(models.Model):
    """Why a rep says no, and what happens with the lead then."""

    class LeadsTo(models.TextChoices):
        RECYCLE = "recycle", _("back to nurture")
        DISQUALIFY = "disqualify", _("disqualified")

    code = models.SlugField(_("code"), max_length=50, unique=True)
    label = models.CharField(_("label"), max_length=100)
    leads_to = models.CharField(
        _("leads to"), max_length=10, choices=LeadsTo.choices, default=LeadsTo.RECYCLE
    )
    recycle_days = models.PositiveSmallIntegerField(
        _("days until it may come back"), null=True, blank=True
    )
    is_active = models.BooleanField(_("active"), default=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        ordering = ("position", "label")
        verbose_name = _("reject reason")
        verbose_name_plural = _("reject reasons")

    def __str__(self) -> str:
        return self.label

    @property
    def disqualifies(self) -> bool:
        return self.leads_to == self.LeadsTo.DISQUALIFY


class HandoffQuerySet(models.QuerySet["Handoff"]):
    def visible_to(self, user) -> Self:
        """Marketers and admins see all; a manager the team's; a rep own ones and the
        team's unassigned ones; nobody else anything."""
        if not user.is_authenticated or not user.is_active:
            return self.none()
        if user.role in (Role.MARKETER, Role.ADMIN):
            return self
        if user.role == Role.MANAGER and user.team_id:
            return self.filter(Q(team=user.team_id) | Q(assignee__team=user.team_id))
        if user.role == Role.REP:
            return self.filter(Q(assignee=user.pk) | _queue_of(user))
        return self.none()

    def within_reach(self, user) -> Self:
        """What `user` sees, or a rep saw until a colleague was faster.

        A decision that comes too late deserves "Tom was faster", not "not found".
        """
        if user.is_authenticated and user.is_active and user.role == Role.REP:
            once_given = HandoffEvent.objects.filter(assignee=user.pk).values("handoff")
            was_queued = Q(team=user.team_id, route=Handoff.Route.QUEUE)
            mine = Q(assignee=user.pk) | Q(pk__in=once_given)
            return self.filter(mine | was_queued if user.team_id else mine)
        return self.visible_to(user)

    def open(self) -> Self:
        return self.filter(state=Handoff.State.SUBMITTED)


def _queue_of(user) -> Q:
    """The unassigned hand-offs of the user's team."""
    if not user.team_id:
        return Q(pk__in=[])
    return Q(assignee=None, team=user.team_id, state=Handoff.State.SUBMITTED)


class Handoff(models.Model):
    """An MQL proposed to sales: one for each stay in MQL, decided at most once."""

    class State(models.TextChoices):
        SUBMITTED = "submitted", _("waiting")
        ACCEPTED = "accepted", _("accepted")
        REJECTED = "rejected", _("rejected")
        EXPIRED = "expired", _("expired")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Route(models.TextChoices):
        """How it came to its assignee, or why it has none."""

        OWNER = "owner", _("to the lead's owner")
        TURN = "turn", _("to the least busy rep")
        MANAGER = "manager", _("by a manager")
        QUEUE = "queue", _("to the team's queue")

    class QueueReason(models.TextChoices):
        """Why nobody was given it."""

        NO_TEAM = "no_team", _("There is no sales team yet.")
        NO_REPS = "no_reps", _("The team has no reps.")
        ALL_ABSENT = "all_absent", _("All reps of the team are absent.")
        ALL_FULL = "all_full", _("All reps of the team have their hands full.")
        RETURNED = "returned", _("It was put back into the queue.")

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="handoffs")
    # The stay in MQL that this hand-off belongs to.
    episode = models.OneToOneField(StageEpisode, on_delete=models.CASCADE, related_name="handoff")
    cycle = models.PositiveSmallIntegerField(_("cycle"))
    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.SUBMITTED
    )
    team = models.ForeignKey(
        Team, verbose_name=_("team"), null=True, on_delete=models.PROTECT, related_name="handoffs"
    )
    assignee = models.ForeignKey(
        User,
        verbose_name=_("assigned to"),
        null=True,
        on_delete=models.PROTECT,
        related_name="handoffs",
    )
    route = models.CharField(_("routed"), max_length=10, choices=Route.choices)
    queue_reason = models.CharField(
        _("why it is in the queue"), max_length=20, choices=QueueReason.choices, blank=True
    )
    submitted_at = models.DateTimeField(_("submitted"), db_default=Now())
    assigned_at = models.DateTimeField(_("assigned"), null=True)
    due_at = models.DateTimeField(_("decision due"))
    decided_at = models.DateTimeField(_("decided"), null=True)
    decided_by = models.ForeignKey(
        User, verbose_name=_("decided by"), null=True, on_delete=models.PROTECT, related_name="+"
    )
    reject_reason = models.ForeignKey(
        RejectReason, verbose_name=_("reason"), null=True, on_delete=models.PROTECT
    )
    note = models.TextField(_("note"), blank=True)
    not_before_on = models.DateField(_("not before"), null=True)

    # How promising the lead was when it was submitted.
    score = models.DecimalField(_("score"), max_digits=9, decimal_places=2, default=0)
    fit = models.DecimalField(_("fit"), max_digits=9, decimal_places=2, default=0)
    interest = models.DecimalField(_("interest"), max_digits=9, decimal_places=2, default=0)
    quadrant = models.CharField(
        _("quadrant"), max_length=10, choices=Standing.Quadrant.choices, blank=True
    )
    model_version = models.PositiveIntegerField(null=True)

    objects = HandoffQuerySet.as_manager()

    class Meta:
        ordering = ("-submitted_at", "-id")
        verbose_name = _("hand-off")
        verbose_name_plural = _("hand-offs")
        constraints = [
            models.UniqueConstraint(
                fields=["lead", "cycle"],
                condition=Q(state="submitted"),
                name="sales_handoff_one_open",
            ),
            models.CheckConstraint(
                condition=Q(state="submitted", decided_at=None)
                | (
                    ~Q(state="submitted")
                    & Q(decided_at__isnull=False, decided_at__gte=F("submitted_at"))
                ),
                name="sales_handoff_decided_has_instant",
            ),
            models.CheckConstraint(
                condition=Q(state="rejected", reject_reason__isnull=False)
                | (~Q(state="rejected") & Q(reject_reason=None)),
                name="sales_handoff_rejected_has_reason",
            ),
            models.CheckConstraint(
                condition=Q(assignee=None, assigned_at=None)
                | Q(assignee__isnull=False, assigned_at__isnull=False),
                name="sales_handoff_assigned_has_instant",
            ),
        ]
        indexes = [
            models.Index(
                "assignee", "team", condition=Q(state="submitted"), name="sales_handoff_waiting"
            ),
            models.Index("assignee", F("assigned_at").desc(), name="sales_handoff_last_assigned"),
            models.Index("team", "state", F("decided_at").desc(), name="sales_handoff_decided"),
        ]

    def __str__(self) -> str:
        return f"{self.lead_id}/{self.cycle}: {self.get_state_display()}"

    @property
    def is_open(self) -> bool:
        return self.state == self.State.SUBMITTED


class HandoffEvent(models.Model):
    """What happened to a hand-off, and by whom. Append-only."""

    class Kind(models.TextChoices):
        SUBMITTED = "submitted", _("submitted")
        ASSIGNED = "assigned", _("assigned")
        REASSIGNED = "reassigned", _("reassigned")
        QUEUED = "queued", _("put into the queue")
        ACCEPTED = "accepted", _("accepted")
        REJECTED = "rejected", _("rejected")
        EXPIRED = "expired", _("expired")
        WITHDRAWN = "withdrawn", _("withdrawn")

    handoff = models.ForeignKey(Handoff, on_delete=models.CASCADE, related_name="events")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    at = models.DateTimeField(db_default=Now())
    actor_kind = models.CharField(max_length=10, choices=ActorKind.choices)
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    actor_label = models.CharField(max_length=200, blank=True)
    # To whom, where the event is an assignment.
    assignee = models.ForeignKey(
        User, null=True, on_delete=models.PROTECT, related_name="handoff_assignments"
    )
    note = models.TextField(blank=True)

    class Meta:
        ordering = ("handoff_id", "id")

    def __str__(self) -> str:
        return f"{self.handoff_id}: {self.get_kind_display()}"
