"""Who sends events, and the keys that requests are signed with."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Source(models.Model):
    """A website, server or mail provider that sends events."""

    class Kind(models.TextChoices):
        WEB = "web", _("Website")
        SERVER = "server", _("Server")
        MAIL = "mail", _("Mail provider")

    name = models.CharField(_("name"), max_length=100, unique=True)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.WEB)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)

    class Meta:
        ordering = ("name",)
        verbose_name = _("source")
        verbose_name_plural = _("sources")

    def __str__(self) -> str:
        return self.name


class Scope(models.TextChoices):
    """What a secret key may be used for."""

    EVENTS = "events", _("send events")
    HISTORY = "history", _("import history")
    SCORES = "scores", _("read scores")


# What a new key may do unless somebody says otherwise: send, and read nothing.
SENDING_SCOPES = [Scope.EVENTS.value, Scope.HISTORY.value]


def all_scopes() -> list[str]:
    """Every scope of sending."""
    return list(SENDING_SCOPES)


class WriteKey(models.Model):
    """What a source signs its requests with.

    A public key stands in a web page for all to read, so it is kept as it is. A
    secret key belongs to a server, makes its events trusted, and is kept as a hash.
    """

    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="keys")
    is_secret = models.BooleanField(_("secret"), default=False)
    key = models.CharField(_("key"), max_length=64, blank=True)
    key_hash = models.CharField(max_length=64, blank=True, editable=False)
    prefix = models.CharField(_("begins with"), max_length=12, editable=False)
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    # A public key: "https://www.example.com", "*.example.com"; empty: from everywhere.
    allowed_origins = ArrayField(models.TextField(), default=list, db_default=[], blank=True)
    # A secret key: what it may be used for. A public one can only ever send events.
    scopes = ArrayField(models.TextField(), default=all_scopes, db_default=SENDING_SCOPES)
    # Messages a second that one web process takes in the long run, and at once after a
    # pause; null: as many as the machine can store.
    per_second = models.PositiveIntegerField(_("messages per second"), null=True, blank=True)
    burst = models.PositiveIntegerField(_("messages at once"), null=True, blank=True)
    # The key that this one was made to take the place of.
    replaces = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.PROTECT, related_name="successors"
    )

    class Meta:
        ordering = ("source", "created_at")
        verbose_name = _("write key")
        verbose_name_plural = _("write keys")
        constraints = [
            models.UniqueConstraint(
                fields=["key"], condition=~Q(key=""), name="tracking_writekey_once"
            ),
            models.UniqueConstraint(
                fields=["key_hash"], condition=~Q(key_hash=""), name="tracking_writekey_hash_once"
            ),
            models.CheckConstraint(
                condition=(Q(is_secret=True, key="") & ~Q(key_hash=""))
                | (Q(is_secret=False, key_hash="") & ~Q(key="")),
                name="tracking_writekey_secret_is_hashed",
            ),
            models.CheckConstraint(
                condition=Q(per_second=None) | Q(per_second__gt=0, burst__gt=0),
                name="tracking_writekey_limit_lets_through",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prefix}… ({self.source})"
