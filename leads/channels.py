"""Where a lead came from, in the field's usual channels."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Channel(models.TextChoices):
    ORGANIC_SEARCH = "organic_search", _("Organic search")
    PAID_SEARCH = "paid_search", _("Paid search")
    ORGANIC_SOCIAL = "organic_social", _("Organic social")
    PAID_SOCIAL = "paid_social", _("Paid social")
    EMAIL = "email", _("E-mail")
    DIRECT = "direct", _("Direct")
    WEB_REFERRAL = "web_referral", _("Web referral")
    CUSTOMER_REFERRAL = "customer_referral", _("Customer referral")
    DISPLAY = "display", _("Display")
    AFFILIATE = "affiliate", _("Affiliate")
    EVENT = "event", _("Event")
    REVIEW_SITE = "review_site", _("Review site")
    AI_ASSISTANT = "ai_assistant", _("AI assistant")
    OFFLINE = "offline", _("Offline")
    OTHER = "other", _("Other")
    UNKNOWN = "unknown", _("Unknown")
