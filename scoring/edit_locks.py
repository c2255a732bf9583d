"""Two people who edit one row: who saves second is told, and loses nothing of what they typed."""

from __future__ import annotations

import hashlib
import json
from typing import Any, cast

from django import forms
from django.db import models
from django.http import QueryDict
from django.utils.translation import gettext as _


def fingerprint(row: models.Model) -> str:
    """A text that changes with any column that people edit."""
    said = {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.editable
    }
    text = json.dumps(said, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class LockedForm(forms.ModelForm):
    """Refuses to overwrite what somebody else saved since the form was shown.

    The refusal says what the row says now; sent once more, the form overwrites it knowingly.
    Must be checked within the transaction that saves, as Django's admin does.
    """

    shown = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.is_edit = not self.instance._state.adding
        if self.is_edit:
            self.initial["shown"] = self.fingerprint_of(self.instance)

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        if self.is_edit and "shown" in self.fields:
            self._refuse_if_changed(said.get("shown") or "")
        return said

    def _refuse_if_changed(self, shown: str) -> None:
        rows = type(self.instance)._default_manager.select_for_update(no_key=True)
        current = rows.filter(pk=self.instance.pk).first()
        if current is None:
            self.add_error(None, _("Somebody else deleted this meanwhile. Nothing was saved."))
        elif self.fingerprint_of(current) != shown:
            sentence = _(
                "Nothing was saved: somebody else changed this meanwhile. It now says: %(now)s "
                "What you typed is still here; save again to put it in its place."
            )
            self.add_error(None, sentence % {"now": self.in_words(current)})
            data = cast(QueryDict, self.data).copy()
            data[self.add_prefix("shown")] = self.fingerprint_of(current)
            self.data = data

    def fingerprint_of(self, row: Any) -> str:
        """Forms that save more than one row put what they have to it."""
        return fingerprint(row)

    def in_words(self, row: Any) -> str:
        return f"{row}."
