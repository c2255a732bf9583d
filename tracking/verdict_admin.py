"""Thresholds and lists behind the verdicts, in Django's admin. An edit judges all events again."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from leads.admin import AuditedAdmin
from leads.refusals import Refused
from tracking.models import CloudNetwork, VerdictSignal
from tracking.verdicts import ruling


@admin.register(VerdictSignal)
class VerdictSignalAdmin(AuditedAdmin):
    """The code knows how to find a signal; what it means, and from when on, is decided here."""

    list_display = ("label", "sentence", "effect", "most", "seconds")
    fields = ("sentence", "effect", "most", "seconds")
    readonly_fields = ("sentence",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj=None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: VerdictSignal | None = None) -> tuple:
        unused = [name for name in ("most", "seconds") if obj and getattr(obj, name) is None]
        return (*self.readonly_fields, *unused)

    def save_model(self, request, obj, form, change) -> None:
        super().save_model(request, obj, form, change)
        if "effect" in form.changed_data:
            ruling.ask_for_run(cause=obj.name)


class CloudNetworkForm(forms.ModelForm):
    class Meta:
        model = CloudNetwork
        fields = ("network", "name", "is_active")

    def clean_network(self) -> str:
        try:
            return ruling.widen(self.cleaned_data["network"])
        except Refused as refusal:
            raise forms.ValidationError(str(refusal)) from refusal


@admin.register(CloudNetwork)
class CloudNetworkAdmin(AuditedAdmin):
    form = CloudNetworkForm
    list_display = ("network", "name", "is_active")
    list_filter = ("name", "is_active")

    def save_model(self, request, obj, form, change) -> None:
        super().save_model(request, obj, form, change)
        ruling.ask_for_run(cause="data_centre")

    def delete_model(self, request, obj) -> None:
        super().delete_model(request, obj)
        ruling.ask_for_run(cause="data_centre")

    def delete_queryset(self, request, queryset) -> None:
        super().delete_queryset(request, queryset)
        ruling.ask_for_run(cause="data_centre")
