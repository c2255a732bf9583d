"""Ids by which senders name companies, and who was said to belong to which."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from leads.models import Account, Lead
from tracking.models import LONGEST_ID
from tracking.source_models import Source


class Group(models.Model):
    """What a trusted source calls a company, where its id is no domain: “g7” is this account.

    Known once a call names the company beside the id, or an admin chooses (`is_chosen`), which
    no call changes. Until then the account is empty.
    """

    source = models.ForeignKey(
        Source, on_delete=models.PROTECT, related_name="+", verbose_name=_("source")
    )
    group_id = models.CharField(_("group id"), max_length=LONGEST_ID)
    account = models.ForeignKey(
        Account,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("account"),
    )
    is_chosen = models.BooleanField(_("chosen by hand"), db_default=False)
    first_said_at = models.DateTimeField(_("first named"), db_default=Now(), editable=False)

    class Meta:
        verbose_name = _("group of people")
        verbose_name_plural = _("groups of people")
        constraints = [
            models.UniqueConstraint(fields=["source", "group_id"], name="tracking_group_once"),
            models.CheckConstraint(
                condition=Q(is_chosen=False) | Q(account__isnull=False),
                name="tracking_group_choice_is_an_account",
            ),
        ]

    def __str__(self) -> str:
        return self.group_id


class GroupMember(models.Model):
    """A trusted source put this lead into the group; of several of its groups the latest."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="members")
    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="+")
    said_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "lead"], name="tracking_groupmember_once")
        ]

    def __str__(self) -> str:
        return f"{self.lead_id} in {self.group}"
