"""Which account a group id of a sender means, in Django's admin."""

from __future__ import annotations

from typing import cast

from django.contrib import admin, messages
from django.db.models import Count
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from leads.actors import Actor
from tracking import groups
from tracking.models import Group
from users.requests import PageRequest


@admin.register(Group)
class GroupAdmin(admin.ModelAdmin):
    """Ids are never added here: a call of the source brings them."""

    list_display = ("group_id", "source", "account", "is_chosen", "people", "first_said_at")
    list_filter = ("source", ("account", admin.EmptyFieldListFilter), "is_chosen")
    list_select_related = ("source", "account")
    search_fields = ("group_id",)
    fields = ("group_id", "source", "account", "is_chosen", "people", "first_said_at")
    readonly_fields = ("group_id", "source", "is_chosen", "people", "first_said_at")
    raw_id_fields = ("account",)
    ordering = ("-id",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return False

    def get_queryset(self, request: HttpRequest):
        return super().get_queryset(request).annotate(member_count=Count("members"))

    @admin.display(description=_("people"), ordering="member_count")
    def people(self, group) -> int:
        return group.member_count

    def save_model(self, request: HttpRequest, obj: Group, form, change) -> None:
        if "account" not in form.changed_data:
            return
        by = Actor.of(cast(PageRequest, request).user)
        count = groups.choose(obj.pk, form.cleaned_data["account"], by=by)
        sentence = ngettext(
            "%(n)s person joined the account.", "%(n)s people joined the account.", count
        )
        self.message_user(request, sentence % {"n": count}, messages.INFO)
