"""What is known about a lead beside its profile: other systems' ids, consent, buying roles,
own fields, audit."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from users.models import User


class ExternalId(models.Model):
    """The key another system knows a lead by: import key, CRM id, Segment user id."""

    lead = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="external_ids")
    system = models.CharField(max_length=50)
    value = models.CharField(max_length=255)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["system", "value"], name="leads_externalid_once")
        ]

    def __str__(self) -> str:
        return f"{self.system}:{self.value}"


class Consent(models.Model):
    """What a person allowed or withdrew, when, and how we know. Append-only."""

    class Purpose(models.TextChoices):
        MAIL = "mail", _("E-mail")
        TRACKING = "tracking", _("Individual tracking")

    lead = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(_("purpose"), max_length=20, choices=Purpose.choices)
    is_granted = models.BooleanField(_("granted"))
    given_at = models.DateTimeField(_("when"))
    evidence = models.CharField(_("evidence"), max_length=500)
    # One effect per cause: the event, import row or form that said so.
    cause = models.CharField(max_length=100)
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ("-given_at", "-id")
        constraints = [
            models.UniqueConstraint(
                fields=["lead", "purpose", "cause"], name="leads_consent_once_per_cause"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()}: {self.is_granted}"


class BuyingRole(models.Model):
    """The part a person plays in the account's decision to buy."""

    class Kind(models.TextChoices):
        DECISION_MAKER = "decision_maker", _("Decision maker")
        ECONOMIC_BUYER = "economic_buyer", _("Economic buyer")
        CHAMPION = "champion", _("Champion")
        INFLUENCER = "influencer", _("Influencer")
        USER = "user", _("End user")
        BLOCKER = "blocker", _("Blocker")
        GATEKEEPER = "gatekeeper", _("Gatekeeper")

    lead = models.ForeignKey("leads.Lead", on_delete=models.CASCADE, related_name="buying_roles")
    kind = models.CharField(_("role"), max_length=20, choices=Kind.choices)
    recorded_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["lead", "kind"], name="leads_buyingrole_once")
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class CustomField(models.Model):
    """A field of its own type that an organisation adds to leads or accounts."""

    class Target(models.TextChoices):
        LEAD = "lead", _("Lead")
        ACCOUNT = "account", _("Account")

    class Kind(models.TextChoices):
        TEXT = "text", _("Text")
        NUMBER = "number", _("Number")
        DATE = "date", _("Date")
        BOOLEAN = "boolean", _("Yes or no")
        CHOICE = "choice", _("Choice")

    target = models.CharField(_("belongs to"), max_length=10, choices=Target.choices)
    key = models.SlugField(_("key"), max_length=50)
    label = models.CharField(_("label"), max_length=100)
    kind = models.CharField(_("type"), max_length=10, choices=Kind.choices)
    choices = models.JSONField(_("choices"), default=list, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        ordering = ("target", "position", "label")
        verbose_name = _("custom field")
        verbose_name_plural = _("custom fields")
        constraints = [
            models.UniqueConstraint(fields=["target", "key"], name="leads_customfield_once")
        ]

    def __str__(self) -> str:
        return self.label


class AuditEntry(models.Model):
    """Who changed what outside the lifecycle. Append-only, held by the database."""

    at = models.DateTimeField(db_default=Now(), editable=False)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    actor_label = models.CharField(max_length=200, blank=True)
    verb = models.CharField(max_length=50)
    object_kind = models.CharField(max_length=50)
    object_id = models.BigIntegerField(null=True)
    changes = models.JSONField(default=dict)
    reason = models.TextField(blank=True)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        ordering = ("-at", "-id")
        indexes = [
            models.Index("object_kind", "object_id", F("id").desc(), name="leads_audit_object")
        ]

    def __str__(self) -> str:
        return f"{self.verb} {self.object_kind} {self.object_id}"
