"""Where admins write signals, and say what words mean."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from scoring import drafting
from scoring.models import MailDomain, ModelVersion, Rule, Signal
from scoring.wording import describe
from users.json_text import JSONText


@admin.register(Signal)
class SignalAdmin(admin.ModelAdmin):
    formfield_overrides = {models.JSONField: {"form_class": JSONText}}
    list_display = ("label", "axis", "event_kind", "in_words", "is_in_use")
    list_filter = ("axis",)
    search_fields = ("label", "key", "event_kind")

    def get_queryset(self, request: HttpRequest) -> Any:
        in_use = Rule.objects.filter(signal=OuterRef("pk")).exclude(
            version__state=ModelVersion.State.DRAFT
        )
        return super().get_queryset(request).annotate(in_use=Exists(in_use))

    @admin.display(description=gettext_lazy("what counts"))
    def in_words(self, signal: Signal) -> str:
        return describe(signal)

    @admin.display(description=gettext_lazy("in use"), boolean=True)
    def is_in_use(self, signal: Signal) -> bool:
        return signal.in_use  # type: ignore[attr-defined]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A signal that a published version uses is shown, not edited: make another one."""
        return super().has_change_permission(request, obj) and not getattr(obj, "in_use", False)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is not None and not getattr(obj, "in_use", False) and not obj.counted_at

    def save_model(self, request: HttpRequest, obj: Signal, form: Any, change: bool) -> None:
        drafting.prepare_signal(obj)
        super().save_model(request, obj, form, change)


@admin.register(MailDomain)
class MailDomainAdmin(admin.ModelAdmin):
    list_display = ("domain", "kind")
    list_filter = ("kind",)
    search_fields = ("domain",)
