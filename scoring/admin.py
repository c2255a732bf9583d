"""Where admins tune the model: edit a draft, see what it would change, publish it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST

from leads.actors import Actor
from leads.refusals import Conflict, Refused
from scoring import drafting, publishing, rescore
from scoring.models import FailedLead, GroupCap, ModelVersion, Publication, Rule
from scoring.signal_admin import MailDomainAdmin, SignalAdmin
from users.models import User

__all__ = ["FailedLeadAdmin", "MailDomainAdmin", "ModelVersionAdmin", "SignalAdmin"]


def is_open(version: ModelVersion | None) -> bool:
    """Whether a version may still be edited: a draft that is not on its way."""
    return version is None or (
        version.is_draft and not Publication.objects.filter(version=version).exists()
    )


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
    fields = ("signal", "points", "group", "is_blocking")


class GroupCapInline(PartInline):
    model = GroupCap


@admin.register(ModelVersion)
class ModelVersionAdmin(admin.ModelAdmin):
    list_display = ("number", "name", "state", "threshold", "published_at", "review_due_on")
    list_display_links = ("number", "name")
    inlines = (RuleInline, GroupCapInline)
    fieldsets = (
        (None, {"fields": (("number", "state"), "name", "review_due_on")}),
        (
            gettext_lazy("When a lead is promising"),
            {"fields": (("threshold",), ("fit_cut", "interest_cut"))},
        ),
        (
            gettext_lazy("Limits"),
            {"fields": (("fit_floor", "fit_ceiling"), ("interest_floor", "interest_ceiling"))},
        ),
    )
    readonly_fields = ("number", "state")
    change_form_template = "admin/scoring/modelversion/change_form.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False  # a version is cloned, never started from nothing

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is not None and is_open(obj)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """A version that is published is shown, and an attempt to change it refused in words."""
        version = self.get_object(request, object_id)
        context = {"is_open": is_open(version), "publication": _publication_of(version)}
        if version is not None and not context["is_open"]:
            if request.method == "POST":
                self.message_user(request, _refusal(version), messages.ERROR)
                return HttpResponseRedirect(request.path)
            return self.changeform_view_only(request, object_id, context | (extra_context or {}))
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

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

    def get_urls(self) -> list:
        own = [
            path("<int:pk>/clone/", self._guarded(self.clone), name="scoring_modelversion_clone"),
            path(
                "<int:pk>/publish/",
                self._guarded(self.publish),
                name="scoring_modelversion_publish",
            ),
            path(
                "<int:pk>/resume/", self._guarded(self.resume), name="scoring_modelversion_resume"
            ),
        ]
        return own + super().get_urls()

    def _guarded(self, view: Any) -> Any:
        return self.admin_site.admin_view(view)

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

    def publish(self, request: HttpRequest, pk: int) -> HttpResponse:
        return require_http_methods(["GET", "POST"])(self._publish)(request, pk)

    def _publish(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what publishing would change; publish when that is confirmed."""
        version = get_object_or_404(ModelVersion, pk=pk)
        refusal, status = "", 200
        if request.method == "POST":
            try:
                publishing.publish(version.pk, by=_actor(request))
            except Refused as error:
                refusal, status = str(error), 409 if isinstance(error, Conflict) else 422
            else:
                return HttpResponseRedirect(reverse("scoring:model"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Publish version %(number)s") % {"number": version.number},
            "opts": self.model._meta,
            "original": version,
            "is_open": is_open(version),
            "refusal": refusal,
            "uncounted": publishing.signals_to_count(version),
            "changes": drafting.changes_of(version),
            "preview": publishing.preview(version) if is_open(version) else None,
        }
        template = "admin/scoring/modelversion/publish.html"
        return TemplateResponse(request, template, context, status=status)


def _actor(request: HttpRequest) -> Actor:
    """Who asks; the admin lets nobody in who is not signed in."""
    assert isinstance(request.user, User)
    return Actor.of(request.user)


def _publication_of(version: ModelVersion | None) -> Publication | None:
    return Publication.objects.filter(version=version).first() if version else None


def _refusal(version: ModelVersion) -> str:
    """Why an attempt to change this version left no trace."""
    if version.is_draft:
        return _(
            "Nothing was saved: version %(number)s is being published and cannot be changed."
        ) % {"number": version.number}
    return _(
        "Nothing was saved: version %(number)s is %(state)s and never changes. Clone it to a "
        "draft and change that."
    ) % {"number": version.number, "state": version.get_state_display().lower()}


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
