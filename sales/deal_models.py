"""What sales finds out and sells: BANT answers, products, opportunities."""

from __future__ import annotations

from typing import Self

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from leads.models import Lead
from users.models import User


class BantAnswer(models.Model):
    """What a rep found out about one letter of BANT. Append-only; the newest counts."""

    class Letter(models.TextChoices):
        BUDGET = "budget", _("Budget")
        AUTHORITY = "authority", _("Authority")
        NEED = "need", _("Need")
        TIMELINE = "timeline", _("Timeline")

    class Verdict(models.TextChoices):
        MET = "met", _("met")
        NOT_MET = "not_met", _("not met")
        UNKNOWN = "unknown", _("unknown")

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="bant_answers")
    cycle = models.PositiveSmallIntegerField()
    letter = models.CharField(max_length=10, choices=Letter.choices)
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    evidence = models.CharField(_("evidence"), max_length=500, blank=True)
    recorded_by = models.ForeignKey(User, null=True, on_delete=models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ("lead_id", "cycle", "letter", "-id")
        indexes = [
            models.Index("lead", "cycle", "letter", F("id").desc(), name="sales_bant_newest")
        ]

    def __str__(self) -> str:
        return f"{self.get_letter_display()}: {self.get_verdict_display()}"


class Product(models.Model):
    """Something the organisation sells."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    # "GTX Pro", "GTXPro" and "gtx-pro" are one product: see sales/products.py.
    normalised_name = models.CharField(max_length=100, unique=True, editable=False)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering = ("name",)
        verbose_name = _("product")
        verbose_name_plural = _("products")

    def __str__(self) -> str:
        return self.name


class OpportunityQuerySet(models.QuerySet["Opportunity"]):
    def visible_to(self, user) -> Self:
        """Whoever sees the lead sees its opportunities."""
        return self.filter(lead__in=Lead.objects.visible_to(user))

    def open(self) -> Self:
        return self.filter(outcome=Opportunity.Outcome.OPEN)


class Opportunity(models.Model):
    """A deal in the making: one for each cycle of a lead that reaches SQL."""

    class Outcome(models.TextChoices):
        OPEN = "open", _("open")
        WON = "won", _("won")
        LOST = "lost", _("lost")

    lead = models.ForeignKey(Lead, on_delete=models.CASCADE, related_name="opportunities")
    cycle = models.PositiveSmallIntegerField(_("cycle"))
    name = models.CharField(_("name"), max_length=200)
    product = models.ForeignKey(
        Product, verbose_name=_("product"), null=True, blank=True, on_delete=models.PROTECT
    )
    amount = models.DecimalField(
        _("amount"), max_digits=14, decimal_places=2, null=True, blank=True
    )
    currency = models.CharField(_("currency"), max_length=3, default="EUR")
    # Percent, 0 to 100, as the rep sees it.
    probability = models.PositiveSmallIntegerField(_("probability"), null=True, blank=True)
    expected_close_on = models.DateField(_("expected close"), null=True, blank=True)
    demo_held_on = models.DateField(_("demo held"), null=True, blank=True)
    pricing_sent_on = models.DateField(_("preliminary pricing sent"), null=True, blank=True)
    nda_signed_on = models.DateField(_("NDA signed"), null=True, blank=True)
    outcome = models.CharField(
        _("outcome"), max_length=10, choices=Outcome.choices, default=Outcome.OPEN
    )
    opened_at = models.DateTimeField(_("opened"), db_default=Now())
    closed_at = models.DateTimeField(_("closed"), null=True)
    reason = models.TextField(_("why won or lost"), blank=True)

    objects = OpportunityQuerySet.as_manager()

    class Meta:
        ordering = ("lead_id", "-cycle")
        verbose_name = _("opportunity")
        verbose_name_plural = _("opportunities")
        constraints = [
            models.UniqueConstraint(
                fields=["lead", "cycle"], name="sales_opportunity_once_per_cycle"
            ),
            models.CheckConstraint(
                condition=Q(outcome="open", closed_at=None)
                | (~Q(outcome="open") & Q(closed_at__isnull=False)),
                name="sales_opportunity_closed_has_instant",
            ),
            models.CheckConstraint(
                condition=Q(probability=None) | Q(probability__lte=100),
                name="sales_opportunity_probability",
            ),
            models.CheckConstraint(
                condition=Q(amount=None) | Q(amount__gte=0), name="sales_opportunity_amount"
            ),
            models.CheckConstraint(
                condition=Q(currency__regex=r"^[A-Z]{3}$"), name="sales_opportunity_currency"
            ),
        ]
        indexes = [models.Index("outcome", F("closed_at").desc(), name="sales_opportunity_outcome")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_open(self) -> bool:
        return self.outcome == self.Outcome.OPEN
