"""Sources, write keys and the quarantine in Django's admin."""

from __future__ import annotations

import json
from typing import cast

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from leads.actors import Actor
from leads.admin import AuditedAdmin
from leads.refusals import Refused
from tracking import group_admin, quarantine, verdict_admin  # noqa: F401 - they register themselves
from tracking.keys import revoke_key
from tracking.models import QuarantinedMessage, Source, WriteKey
from users.requests import PageRequest


class ReadOnlyAdmin(admin.ModelAdmin):
    """To look at; what changes it is an action or another page."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj=None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj=None) -> bool:
        return False


@admin.register(Source)
class SourceAdmin(AuditedAdmin):
    list_display = ("name", "kind", "is_active", "created_at")
    list_filter = ("kind", "is_active")

    def has_delete_permission(self, request: HttpRequest, obj: Source | None = None) -> bool:
        """Its events name it for ever; a source that is not active sends nothing."""
        return False


@admin.register(WriteKey)
class WriteKeyAdmin(ReadOnlyAdmin):
    list_display = ("prefix", "source", "is_secret", "created_at", "last_used_at", "revoked_at")
    list_filter = ("source", "is_secret")
    fields = ("source", "is_secret", "prefix", "created_at", "last_used_at", "revoked_at")
    actions = ["revoke"]

    @admin.action(description=_("Revoke the chosen keys"))
    def revoke(self, request: HttpRequest, queryset) -> None:
        by = Actor.of(cast(PageRequest, request).user)
        for key_id in queryset.values_list("pk", flat=True):
            revoke_key(key_id, by=by)


@admin.register(QuarantinedMessage)
class QuarantinedMessageAdmin(ReadOnlyAdmin):
    list_display = ("quarantined_at", "source", "step", "short_reason", "attempts", "replayed_at")
    list_filter = ("step", "source", ("replayed_at", admin.EmptyFieldListFilter))
    fields = (
        "source", "step", "event_id", "reason", "attempts", "quarantined_at", "replayed_at",
        "readable_payload",
    )  # fmt: skip
    readonly_fields = ("readable_payload",)
    actions = ["replay"]

    @admin.display(description=_("reason"))
    def short_reason(self, message: QuarantinedMessage) -> str:
        return message.reason[:120]

    @admin.display(description=_("message"))
    def readable_payload(self, message: QuarantinedMessage) -> str:
        return json.dumps(message.payload, indent=2, ensure_ascii=False)

    @admin.action(description=_("Replay the chosen messages"))
    def replay(self, request: HttpRequest, queryset) -> None:
        done = 0
        for message_id in queryset.order_by("pk").values_list("pk", flat=True):
            try:
                quarantine.replay(message_id)
                done += 1
            except Refused as refusal:
                self.message_user(request, f"{message_id}: {refusal}", messages.WARNING)
        sentence = ngettext("%(n)s message replayed.", "%(n)s messages replayed.", done)
        self.message_user(request, sentence % {"n": done})
