"""What an admin fills in about a colleague. There are no other rights than the role."""

from __future__ import annotations

from django import forms
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.utils.translation import gettext_lazy as _

from users.models import User
from users.roles import Role

FIELDS = ("email", "first_name", "last_name", "role", "team", "capacity", "is_available")


class _CleanEmail(forms.ModelForm):
    def clean_email(self) -> str:
        """Addresses stand in lower case, so that one address is one colleague."""
        email = self.cleaned_data["email"].lower()
        if User.objects.filter(email__iexact=email).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("A colleague with this e-mail address exists already."))
        return email

    def clean(self) -> dict:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("role") in (Role.REP, Role.MANAGER) and not cleaned.get("team"):
            self.add_error("team", _("Sales reps and sales managers need a team."))
        return cleaned


class NewUserForm(_CleanEmail, AdminUserCreationForm):
    class Meta:
        model = User
        fields = FIELDS
        field_classes = {"email": forms.EmailField}


class UserForm(_CleanEmail, UserChangeForm):
    class Meta:
        model = User
        fields = (*FIELDS, "is_active")
        field_classes = {"email": forms.EmailField}
