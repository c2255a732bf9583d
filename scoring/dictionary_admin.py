"""Where admins say what words mean. Every edit matches all leads again, in the background."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from leads import audit
from leads.actors import Actor
from leads.admin import AuditedAdmin
from scoring import dictionaries
from scoring.edit_locks import LockedForm
from scoring.meanings import tidy
from scoring.models import IndustryWord, LegalForm, MailDomain, SharedMailbox, TitleWord
from users.requests import PageRequest


class EntryForm(LockedForm):
    """An entry is kept as it will be looked for: in lower case, single blanks."""

    def clean_word(self) -> str:
        word = tidy(self.cleaned_data["word"])
        if not word.isprintable() or not any(letter.isalnum() or letter == "㈜" for letter in word):
            raise ValidationError(_("Write a word: letters or digits, on one line."))
        return word

    def clean_domain(self) -> str:
        domain = tidy(self.cleaned_data["domain"]).strip(".")
        if "." not in domain or "@" in domain or " " in domain:
            raise ValidationError(_("Write a domain, such as example.com."))
        return domain

    def clean(self) -> dict[str, Any]:
        said = super().clean()
        model = type(self.instance)
        is_limited = not self.is_edit and model is not MailDomain
        if is_limited and model._default_manager.count() >= dictionaries.MOST_ENTRIES:
            most = {"most": dictionaries.MOST_ENTRIES}
            self.add_error(None, _("A dictionary has at most %(most)s entries.") % most)
        return said


class EntryAdmin(AuditedAdmin):
    form = EntryForm
    search_fields = ("word",)
    list_display: Any = ("word",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        dictionaries.write_entry(obj, is_new=not change)
        self._tell(request)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        dictionaries.remove_entry(obj)
        self._tell(request)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        for entry in queryset:
            dictionaries.remove_entry(entry)
        self._tell(request)

    def _tell(self, request: HttpRequest) -> None:
        sentence = _("Where signals ask for this, all leads are matched and scored again.")
        self.message_user(request, sentence, messages.INFO)


@admin.register(TitleWord)
class TitleWordAdmin(EntryAdmin):
    list_display = ("word", "seniority", "department")
    list_filter = ("seniority", "department")


@admin.register(IndustryWord)
class IndustryWordAdmin(EntryAdmin):
    list_display = ("word", "industry")
    list_filter = ("industry",)


@admin.register(LegalForm)
class LegalFormAdmin(EntryAdmin):
    list_display = ("word", "may_lead")


admin.site.register(SharedMailbox, EntryAdmin)


@admin.register(MailDomain)
class MailDomainAdmin(EntryAdmin):
    list_display = ("domain", "kind", "is_listed")
    list_filter = ("kind", "is_listed")
    search_fields = ("domain",)

    def _audit(self, request: HttpRequest, obj: Any, verb: str, message: Any) -> None:
        """Known by its name, for it has no number."""
        audit.record(
            Actor.of(cast(PageRequest, request).user),
            verb,
            object_kind="maildomain",
            changes={"what": str(obj), "fields": message},
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("domain",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A listed one would come back: to overrule a list, say what the domain is."""
        return super().has_delete_permission(request, obj) and not getattr(obj, "is_listed", False)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        super().delete_queryset(request, queryset.filter(is_listed=False))
