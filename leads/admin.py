"""What admins look after here: criteria, own fields, accounts; and the audit log to read.

People and their stages are not in Django's admin: they have one door, and this is not it.
"""

from __future__ import annotations

from typing import cast

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from leads import audit
from leads.accounts import tell_people_of
from leads.actors import Actor
from leads.admin_forms import AccountForm, CriterionForm, CustomFieldForm
from leads.models import Account, AuditEntry, Criterion, CustomField
from users.json_text import JSONText
from users.requests import PageRequest


class AuditedAdmin(admin.ModelAdmin):
    """Every change also stands in the append-only audit log."""

    formfield_overrides = {models.JSONField: {"form_class": JSONText}}

    def log_addition(self, request, obj, message):
        self._audit(request, obj, "added", message)
        return super().log_addition(request, obj, message)

    def log_change(self, request, obj, message):
        self._audit(request, obj, "edited", message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request, queryset):
        for obj in queryset:
            self._audit(request, obj, "deleted", [])
        return super().log_deletions(request, queryset)

    def _audit(self, request: HttpRequest, obj, verb: str, message) -> None:
        audit.record(
            Actor.of(cast(PageRequest, request).user),
            verb,
            object_kind=obj._meta.model_name,
            object_id=obj.pk,
            changes={"what": str(obj), "fields": message},
        )


@admin.register(Criterion)
class CriterionAdmin(AuditedAdmin):
    form = CriterionForm
    list_display = ("stage", "kind", "params", "is_active", "position")
    list_filter = ("stage", "is_active")


@admin.register(CustomField)
class CustomFieldAdmin(AuditedAdmin):
    form = CustomFieldForm
    list_display = ("label", "target", "key", "kind", "position")
    list_filter = ("target", "kind")
    prepopulated_fields = {"key": ("label",)}

    def get_readonly_fields(self, request: HttpRequest, obj: CustomField | None = None) -> tuple:
        """Stored values hang on key and type: they cannot change under them."""
        return ("target", "key", "kind") if obj is not None else ()

    def get_prepopulated_fields(self, request: HttpRequest, obj=None) -> dict:
        return {} if obj is not None else super().get_prepopulated_fields(request, obj)


@admin.register(Account)
class AccountAdmin(AuditedAdmin):
    form = AccountForm
    list_display = ("name", "domain", "industry", "country", "employee_count")
    search_fields = ("name", "domain")
    show_full_result_count = False

    def save_model(self, request: HttpRequest, obj: Account, form, change: bool) -> None:
        super().save_model(request, obj, form, change)
        tell_people_of([obj])

    def has_delete_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        return False


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin):
    """To read only; the database refuses any change as well."""

    list_display = ("at", "actor_label", "verb", "object_kind", "object_id", "reason")
    list_filter = ("verb", "object_kind")
    search_fields = ("actor_label", "reason")
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AuditEntry | None = None) -> bool:
        return False
