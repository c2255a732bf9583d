"""Colleagues and teams in Django's admin. Who leaves is closed, not deleted: history names them."""

from __future__ import annotations

from allauth.account.admin import EmailAddress  # from there: it registers it first
from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import models
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from users.forms import NewUserForm, UserForm
from users.json_text import JSONText
from users.models import Team, User

admin.site.unregister(Group)  # the role is the only right there is
admin.site.unregister(EmailAddress)  # a colleague has one address, on the user

WHO: tuple = (None, {"fields": ("email", "password", "first_name", "last_name")})
NEW_FIELDS = ("email", "first_name", "last_name", "role", "team")
PASSWORD_FIELDS = ("usable_password", "password1", "password2")


@admin.register(User)
class UserAdmin(DjangoUserAdmin):
    form = UserForm
    add_form = NewUserForm
    ordering = ("email",)
    list_display = ("email", "first_name", "last_name", "role", "team", "is_active", "last_login")
    list_filter = ("role", "team", "is_active")
    search_fields = ("email", "first_name", "last_name")
    filter_horizontal = ()
    list_select_related = ("team",)
    fieldsets = (
        WHO,
        (_("Work"), {"fields": ("role", "team", "capacity", "is_available")}),
        (_("Sign-in"), {"fields": ("is_active", "last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": NEW_FIELDS}),
        (_("Password"), {"classes": ("wide",), "fields": PASSWORD_FIELDS}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple:
        """Nobody takes the keys from themselves: another admin has to do it."""
        own = ("role", "is_active") if obj is not None and obj.pk == request.user.pk else ()
        return (*self.readonly_fields, *own)


@admin.register(Team)
class TeamAdmin(admin.ModelAdmin):
    formfield_overrides = {models.JSONField: {"form_class": JSONText}}
    list_display = ("name", "countries")
    search_fields = ("name",)
