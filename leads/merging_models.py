"""Columns and constraints of merges: who went into whom, and who only looks alike."""

from __future__ import annotations

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower, Now
from django.utils.translation import gettext_lazy as _

from leads.actors import ActorKind
from users.models import User


class Merge(models.Model):
    """Two leads were found to be one person. Kept for good; taken apart, it says when and by whom.

    Nothing of the loser is rewritten: `Lead.merged_into` redirects. What the survivor took
    over is in `changes` ({field of the lead: [before, written]}) and `roles`.
    """

    survivor = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="merges")
    loser = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="merged_by")
    # {choice (leads/merging_fields.py): "survivor" or "loser"}
    choices = models.JSONField(default=dict)
    changes = models.JSONField(default=dict)
    # {field of the lead: what the survivor had before}; empty of merges older than this column.
    former = models.JSONField(default=dict, db_default={})
    # The survivor's own address, where it took over the loser's: still leads to the survivor.
    former_email = models.EmailField(blank=True)
    # Kinds of buying roles that the survivor did not have before.
    roles = ArrayField(models.CharField(max_length=20), default=list)
    merged_at = models.DateTimeField(_("merged"))
    actor_kind = models.CharField(max_length=10, choices=ActorKind.choices)
    actor = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    actor_label = models.CharField(max_length=200, blank=True)
    reason = models.TextField(_("reason"))
    undone_at = models.DateTimeField(_("taken apart"), null=True)
    undone_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    undone_by_label = models.CharField(max_length=200, blank=True)
    undone_reason = models.TextField(blank=True)

    class Meta:
        ordering = ("-merged_at", "-id")
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        constraints = [
            models.UniqueConstraint(
                fields=["loser"], condition=Q(undone_at=None), name="leads_merge_one_open"
            ),
            models.CheckConstraint(
                condition=~Q(survivor=F("loser")), name="leads_merge_two_different_leads"
            ),
            models.CheckConstraint(
                condition=Q(undone_at=None)
                | Q(undone_at__isnull=False, undone_at__gte=F("merged_at")),
                name="leads_merge_undone_later",
            ),
        ]
        indexes = [
            models.Index(
                Lower("former_email"),
                condition=Q(undone_at=None) & ~Q(former_email=""),
                name="leads_merge_former_email",
            )
        ]

    def __str__(self) -> str:
        return f"{self.loser_id} → {self.survivor_id}"

    @property
    def is_open(self) -> bool:
        return self.undone_at is None

    @property
    def cause(self) -> str:
        """What the survivor's copies of the loser's answers name as their cause."""
        return f"merge {self.pk}"


class DuplicateQuerySet(models.QuerySet["Duplicate"]):
    def visible_to(self, user) -> Self:
        """Pairs of which the user may see both leads."""
        from leads.models import Lead

        visible = Lead.objects.visible_to(user)
        if not visible.query.where:
            return self
        return self.filter(first__in=visible, second__in=visible)

    def waiting(self) -> Self:
        """Suggestions that nobody has said no to."""
        return self.filter(dismissed_at=None)


class Duplicate(models.Model):
    """Two leads that may be one person: a suggestion, made anew by leads/duplicates.py.

    What somebody found to be two people stays here and is not suggested again.
    """

    class Reason(models.TextChoices):
        """Strongest first."""

        MAILBOX = "mailbox", _("the same mailbox, spelled in another way")
        EXTERNAL_ID = "external_id", _("the same id in another system")
        PHONE = "phone", _("the same phone number")
        NAME = "name", _("the same name at the same company")

    # The lead with the smaller id is the first.
    first = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="+")
    second = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="+")
    reasons = ArrayField(models.CharField(max_length=20, choices=Reason.choices))
    found_at = models.DateTimeField(db_default=Now())
    dismissed_at = models.DateTimeField(_("not a duplicate"), null=True)
    dismissed_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")

    objects = DuplicateQuerySet.as_manager()

    class Meta:
        verbose_name = _("possible duplicate")
        verbose_name_plural = _("possible duplicates")
        constraints = [
            models.UniqueConstraint(fields=["first", "second"], name="leads_duplicate_once"),
            models.CheckConstraint(
                condition=Q(first__lt=F("second")), name="leads_duplicate_in_order"
            ),
        ]
        indexes = [
            models.Index(
                F("found_at").desc(),
                "id",
                condition=Q(dismissed_at=None),
                name="leads_duplicate_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"{self.first_id} = {self.second_id}?"

    @property
    def sentence(self) -> str:
        """Why, in words: “The same phone number, the same name at the same company.”"""
        text = ", ".join(str(reason.label) for reason in self.Reason if reason in self.reasons)
        return f"{text[:1].upper()}{text[1:]}." if text else ""


class DuplicateSearch(models.Model):
    """One row: when all leads were last compared."""

    searched_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.searched_at}"
