"""Where admins tune the model: edit a draft; its own page leads on to signatures and into force."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from leads.actors import Actor
from leads.admin import AuditedAdmin
from leads.refusals import Conflict
from scoring import drafting, publishing, rescore, terms
from scoring.condition_fields import ConditionsField
from scoring.edit_locks import LockedForm, fingerprint
from scoring.models import FailedLead, GroupCap, ModelVersion, Rule, ScoringModel
from scoring.signal_admin import MailDomainAdmin, SignalAdmin
from scoring.signal_select import SignalSelect
from scoring.wording import describe_rule
from users.models import User

__all__ = ["FailedLeadAdmin", "MailDomainAdmin", "ModelVersionAdmin", "SignalAdmin"]


def is_open(version: ModelVersion | None) -> bool:
    """Whether a version may still be edited: a draft that nobody submitted."""
    return version is None or version.is_draft


class PartInline(admin.TabularInline):
    extra = 1

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_open(obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_open(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_open(obj)


class RuleInline(PartInline):
    model = Rule
    fields = ("signal", "points", "group", "is_blocking", "in_words")
    readonly_fields = ("in_words",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("signal")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **said: Any) -> Any:
        """All signals are read once for the page, not once for each rule."""
        if db_field.name != "signal":
            return super().formfield_for_foreignkey(db_field, request, **said)
        said["widget"] = SignalSelect
        field: Any = super().formfield_for_foreignkey(db_field, request, **said)
        field.choices = list(field.choices)
        return field

    @admin.display(description=gettext_lazy("in words"))
    def in_words(self, rule: Rule) -> str:
        return describe_rule(rule) if rule.pk else ""


class GroupCapInline(PartInline):
    model = GroupCap


class VersionForm(LockedForm):
    """The numbers of a version, locked together with its rules and caps."""

    def fingerprint_of(self, row: ModelVersion) -> str:
        parts = [*row.rules.order_by("pk"), *row.caps.order_by("pk")]
        said = [row.state, super().fingerprint_of(row), *(fingerprint(part) for part in parts)]
        return hashlib.sha256(" ".join(said).encode()).hexdigest()[:32]

    def in_words(self, row: ModelVersion) -> str:
        changes = [change.sentence for change in terms.changes_of(row)]
        return f"{row}, {row.get_state_display()}. {'; '.join(changes[:20])}"


@admin.register(ModelVersion)
class ModelVersionAdmin(admin.ModelAdmin):
    form = VersionForm
    list_display = (
        "number",
        "name",
        "model",
        "state",
        "threshold",
        "published_at",
        "review_due_on",
    )
    list_display_links = ("number", "name")
    list_filter = ("model", "state")
    list_select_related = ("model",)
    inlines = (RuleInline, GroupCapInline)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("number", "state"),
                    "model",
                    "name",
                    "effective_from",
                    "review_due_on",
                    "shown",
                )
            },
        ),
        (
            gettext_lazy("When a lead is promising"),
            {"fields": (("threshold", "hysteresis"), ("fit_cut", "interest_cut"))},
        ),
        (
            gettext_lazy("Limits"),
            {"fields": (("fit_floor", "fit_ceiling"), ("interest_floor", "interest_ceiling"))},
        ),
    )
    readonly_fields = ("number", "state", "model")
    change_form_template = "admin/scoring/modelversion/change_form.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a version is cloned, never started from nothing

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is not None and is_open(obj)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A version that was submitted is shown, and an attempt to change it refused in words."""
        version = self.get_object(request, object_id)
        stopped = version.publications.filter(finished_at=None).first() if version else None
        context = {"is_open": is_open(version), "publication": stopped} | (extra_context or {})
        if version is not None and not context["is_open"]:
            if request.method == "POST":
                self.message_user(request, _refusal(version), messages.ERROR)
                return HttpResponseRedirect(request.path)
            return self.changeform_view_only(request, object_id, context)
        return super().change_view(request, object_id, form_url, context)

    def changeform_view_only(
        self, request: HttpRequest, object_id: str, context: dict
    ) -> HttpResponse:
        hidden = dict.fromkeys(
            ("show_save", "show_save_and_continue", "show_save_and_add_another"), False
        )
        return super().change_view(request, object_id, "", context | hidden)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if is_open(obj):
            return self.readonly_fields
        return [field.name for field in ModelVersion._meta.fields if field.name != "id"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        found = super().get_fieldsets(request, obj)
        if is_open(obj):
            return found
        first, *others = found
        shown = [name for name in first[1]["fields"] if name != "shown"]
        return ((first[0], {"fields": (*shown, "published_at", "published_by")}), *others)

    def get_urls(self) -> list:
        own = [
            path("<int:pk>/clone/", self._guarded(self.clone), name="scoring_modelversion_clone"),
            path(
                "<int:pk>/resume/", self._guarded(self.resume), name="scoring_modelversion_resume"
            ),
        ]
        return own + super().get_urls()

    def _guarded(self, view: Any) -> Any:
        return self.admin_site.admin_view(view)

    def response_change(self, request: HttpRequest, obj: ModelVersion) -> HttpResponse:
        """Say what follows: nothing that was saved holds for anybody yet."""
        sentence = _(
            "Version %(number)s is a draft. Nothing changes until two people have signed it and "
            "it is published."
        ) % {"number": obj.number}
        preview = reverse("scoring:preview", args=[obj.number])
        link = format_html('<a href="{}">{}</a>', preview, _("See what it would change"))
        self.message_user(request, format_html("{} {}", sentence, link), messages.WARNING)
        return super().response_change(request, obj)

    def clone(self, request: HttpRequest, pk: int) -> HttpResponse:
        return require_POST(self._clone)(request, pk)

    def _clone(self, request: HttpRequest, pk: int) -> HttpResponse:
        version = get_object_or_404(ModelVersion, pk=pk)
        draft = drafting.clone_to_draft(version.pk, by=_actor(request))
        self.message_user(
            request,
            _("Version %(number)s is a draft. Nothing changes until it is published.")
            % {"number": draft.number},
            messages.SUCCESS,
        )
        return HttpResponseRedirect(reverse("admin:scoring_modelversion_change", args=[draft.pk]))

    def resume(self, request: HttpRequest, pk: int) -> HttpResponse:
        return require_POST(self._resume)(request, pk)

    def _resume(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Back to the Scoring page, which shows either how it goes on or who was faster."""
        version = get_object_or_404(ModelVersion, pk=pk)
        try:
            publishing.resume(version.pk, by=_actor(request))
        except Conflict as refusal:
            self.message_user(request, str(refusal), messages.WARNING)
        else:
            goes_on = _("Publishing version %(number)s goes on.") % {"number": version.number}
            self.message_user(request, goes_on, messages.SUCCESS)
        return HttpResponseRedirect(reverse("scoring:model"))


def _actor(request: HttpRequest) -> Actor:
    """Who asks; the admin lets nobody in who is not signed in."""
    assert isinstance(request.user, User)
    return Actor.of(request.user)


def _refusal(version: ModelVersion) -> str:
    """Why an attempt to change this version left no trace."""
    return _(
        "Nothing was saved: version %(number)s is %(state)s and does not change. Clone it to a "
        "draft and change that."
    ) % {"number": version.number, "state": version.get_state_display().lower()}


class ModelForm(LockedForm):
    conditions = ConditionsField(label=gettext_lazy("who belongs to it"), required=False)

    class Meta:
        model = ScoringModel
        fields = ("name", "conditions")


@admin.register(ScoringModel)
class ScoringModelAdmin(AuditedAdmin):
    """Models side by side. A new one begins with a draft like the version in force for all."""

    form = ModelForm
    list_display = ("name", "position")
    fields = ("name", "conditions", "shown")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whom it is for is part of what was signed."""
        is_fixed = obj is not None and (
            obj.is_default or obj.versions.exclude(state=ModelVersion.State.DRAFT).exists()
        )
        return super().has_change_permission(request, obj) and not is_fixed

    def save_model(self, request: HttpRequest, obj: ScoringModel, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        like = ModelVersion.objects.active() or ModelVersion.objects.first()
        assert like is not None
        draft = drafting.begin_model(obj.name, obj.conditions, like.pk, by=_actor(request))
        obj.pk, obj.position, obj._state.adding = draft.model.pk, draft.model.position, False
        self.message_user(
            request,
            _("Version %(number)s is its first draft. Nothing changes until it is published.")
            % {"number": draft.number},
            messages.SUCCESS,
        )


@admin.register(FailedLead)
class FailedLeadAdmin(admin.ModelAdmin):
    list_display = ("lead", "error", "attempts", "failed_at")
    list_select_related = ("lead",)
    actions = ("try_again",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description=gettext_lazy("Score again"), permissions=["view"])
    def try_again(self, request: HttpRequest, chosen: Any) -> None:
        rescore.replay(chosen.values_list("lead_id", flat=True))
        self.message_user(request, _("They will be scored within seconds."), messages.SUCCESS)
