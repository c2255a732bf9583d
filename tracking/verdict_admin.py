"""Thresholds and lists behind the verdicts, in Django's admin. An edit judges all events again."""

from __future__ import annotations

from typing import Any, cast

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import AdminErrorList, AdminForm
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from leads.admin import AuditedAdmin
from leads.refusals import Refused
from tracking.models import CloudNetwork, VerdictSignal
from tracking.verdicts import previewing, ruling
from tracking.verdicts.weighing import SIGNALS


class VerdictSignalForm(forms.ModelForm):
    """A threshold that a signal has cannot be taken away, only edited."""

    class Meta:
        model = VerdictSignal
        fields = ("effect", "most", "seconds")

    def clean(self) -> dict:
        said = super().clean() or {}
        meaning = SIGNALS[self.instance.name]
        for name, has_it, (least, most) in (
            ("most", meaning.most, (2, 10_000)),
            ("seconds", meaning.seconds, (1, 86_400)),
        ):
            value = said.get(name)
            if has_it and name not in self.errors and not least <= (value or 0) <= most:
                sentence = _("Between %(least)s and %(most)s.")
                self.add_error(name, sentence % {"least": least, "most": most})
        return said


@admin.register(VerdictSignal)
class VerdictSignalAdmin(AuditedAdmin):
    """The code knows how to find a signal; what it means, and from when on, is decided here.

    An edit can be looked at beforehand, and is applied to all stored events.
    """

    form = VerdictSignalForm
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

    def change_view(self, request, object_id, form_url="", extra_context=None) -> HttpResponse:
        if request.method == "POST" and "_preview" in request.POST:
            return self._preview(request, object_id)
        return super().change_view(request, object_id, form_url, extra_context)

    def _preview(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The form as it was sent, with what it would change. Nothing is saved."""
        signal = get_object_or_404(VerdictSignal, pk=unquote(object_id))
        if not self.has_change_permission(request, signal):
            raise PermissionDenied
        form = self.get_form(request, signal, change=True)(request.POST, instance=signal)
        preview = previewing.preview(form.instance) if form.is_valid() else None
        shown = AdminForm(
            form,
            cast(Any, self.get_fieldsets(request, signal)),
            {},
            self.get_readonly_fields(request, signal),
            model_admin=self,
        )
        context = {
            **self.admin_site.each_context(request),
            "title": _("See what it changes"),
            "adminform": shown,
            "object_id": object_id,
            "original": signal,
            "is_popup": False,
            "to_field": None,
            "media": self.media + shown.media,
            "inline_admin_formsets": [],
            "errors": AdminErrorList(form, []),
            "preview": preview,
        }
        return self.render_change_form(request, context, change=True, obj=signal)

    def save_model(self, request, obj, form, change) -> None:
        super().save_model(request, obj, form, change)
        if form.changed_data:
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
