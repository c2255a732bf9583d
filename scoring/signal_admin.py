"""Where admins write signals: conditions in rows of drop-downs, and the sentence they make."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Exists, OuterRef
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads.admin import AuditedAdmin
from scoring import drafting
from scoring.condition_fields import ConditionsField
from scoring.dictionary_admin import MailDomainAdmin
from scoring.edit_locks import LockedForm
from scoring.models import ModelVersion, Rule, Signal
from scoring.terms import MEANING
from scoring.vocabulary import EVENT_FIELDS, Axis
from scoring.wording import describe
from tracking.events import KINDS, NOT_SCORED
from tracking.received import NEWEST, received_kinds

__all__ = ["MailDomainAdmin", "SignalAdmin"]


class Suggesting(forms.TextInput):
    """A text with proposals; anything else may be typed as well."""

    def __init__(self, proposals: list[tuple[str, str]], **options: Any) -> None:
        super().__init__(**options)
        self.proposals = proposals

    def render(
        self, name: str, value: Any, attrs: dict | None = None, renderer: Any = None
    ) -> SafeString:
        list_id = f"proposals-{name}"
        options = format_html_join("", '<option value="{}">{}</option>', self.proposals)
        field = super().render(name, value, {**(attrs or {}), "list": list_id}, renderer)
        return format_html('{}<datalist id="{}">{}</datalist>', field, list_id, options)


class SignalForm(LockedForm):
    conditions = ConditionsField(required=False, label=gettext_lazy("Conditions"))

    class Meta:
        model = Signal
        exclude = ()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        typed = self.data.get("axis") if self.is_bound else self.instance.axis
        asked = self.fields.get("conditions")  # a signal in use is shown without a form
        if isinstance(asked, ConditionsField):
            asked.axis = asked.widget.axis = typed if typed in Axis.values else Axis.FIT
        if "event_kind" in self.fields:
            kinds = [(name, str(kind.label)) for name, kind in KINDS.items()]
            kinds = [pair for pair in kinds if pair[0] not in NOT_SCORED]
            self.fields["event_kind"].widget = Suggesting(kinds)
        if "distinct_field" in self.fields:
            names = [(name, str(field.label)) for name, field in EVENT_FIELDS.items()]
            self.fields["distinct_field"].widget = Suggesting(names)

    def in_words(self, row: Signal) -> str:
        return describe(row)


@admin.register(Signal)
class SignalAdmin(AuditedAdmin):
    form = SignalForm
    list_display = ("label", "axis", "event_kind", "in_words", "is_in_use")
    list_filter = ("axis",)
    search_fields = ("label", "key", "event_kind")
    readonly_fields = ("in_words",)

    def get_queryset(self, request: HttpRequest) -> Any:
        in_use = Rule.objects.filter(signal=OuterRef("pk")).exclude(
            version__state=ModelVersion.State.DRAFT
        )
        return super().get_queryset(request).annotate(in_use=Exists(in_use))

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict:
        return {} if obj else {"key": ("label",)}

    @admin.display(description=gettext_lazy("what counts"))
    def in_words(self, signal: Signal) -> str:
        return describe(signal) if signal.pk else _("Save to read it as a sentence.")

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
        same = Signal.objects.filter(**{name: getattr(obj, name) for name in MEANING})
        for other in same.exclude(pk=obj.pk)[:1]:
            sentence = _("“%(other)s” counts the very same: one of the two is enough.")
            self.message_user(request, sentence % {"other": other}, messages.WARNING)
        if warning := _never_came(obj.event_kind):
            self.message_user(request, warning, messages.WARNING)


def _never_came(kind: str) -> str:
    """A sentence where no event of this kind came lately, with names like it; else ""."""
    received = received_kinds()
    if not kind or kind in received:
        return ""
    sentence = _(
        "None of the newest %(count)s events is of the kind “%(kind)s”: until one comes, this "
        "signal counts nothing."
    ) % {"count": f"{NEWEST:,}", "kind": kind}
    like = get_close_matches(kind, sorted(received | set(KINDS)), n=4, cutoff=0.5)
    known = ", ".join(name for name in like if name != kind)
    return f"{sentence} {_('Names like it: %(names)s.') % {'names': known}}" if known else sentence
