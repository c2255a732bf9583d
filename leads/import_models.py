"""An import: the file, how it is read, how far it has come, and what became of each row."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from users.roles import Role


class ImportQuerySet(models.QuerySet["Import"]):
    def visible_to(self, user) -> Self:
        """Marketers and admins see the imports of all; nobody else any."""
        may_see = user.is_authenticated and user.is_active
        if may_see and user.role in (Role.MARKETER, Role.ADMIN):
            return self
        return self.none()

    def working(self) -> Self:
        return self.filter(state__in=Import.WORKING)


class Import(models.Model):
    """One uploaded file on its way into the database. Written through leads/importing.py."""

    class State(models.TextChoices):
        MAPPING = "mapping", _("Columns to be mapped")
        CHECKING = "checking", _("Being checked")
        CHECKED = "checked", _("Checked")
        RUNNING = "running", _("Being imported")
        FINISHED = "finished", _("Imported")
        CANCELLED = "cancelled", _("Cancelled")
        STUCK = "stuck", _("Stopped by an error")

    WORKING = (State.CHECKING, State.RUNNING)

    file_name = models.CharField(_("file"), max_length=200)
    size = models.PositiveIntegerField(_("size"))
    digest = models.CharField(max_length=64)  # SHA-256 of the bytes
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("imported by"),
        on_delete=models.PROTECT,
        related_name="+",
    )
    created_at = models.DateTimeField(_("uploaded"), db_default=Now())

    # How the file is read: leads/imports/reading.py and profile.py found it out.
    encoding = models.CharField(max_length=20)
    delimiter = models.CharField(max_length=1)
    columns = models.JSONField(default=list)
    # The first rows, so that a preview need not read the whole file.
    sample = models.JSONField(default=list)
    row_count = models.PositiveIntegerField(_("rows"))
    footer_count = models.PositiveSmallIntegerField(default=0)
    header_digest = models.CharField(max_length=64)

    # What becomes of it: leads/imports/mapping.py.
    target = models.CharField(_("contents"), max_length=30)
    preset = models.CharField(max_length=50, blank=True)
    mapping = models.JSONField(default=dict)

    state = models.CharField(
        _("state"), max_length=10, choices=State.choices, default=State.MAPPING
    )
    # The rows up to here are done, in the check or in the import that is under way.
    done_count = models.PositiveIntegerField(default=0)
    # {"created": n, "updated": n, "unchanged": n, "failed": n, "warned": n, "notes": {code: n}}
    check_tally = models.JSONField(default=dict)
    run_tally = models.JSONField(default=dict)
    began_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(_("finished"), null=True)

    # Who works on it: a process that has died loses it when its lease has run out.
    worker = models.CharField(max_length=36, blank=True)
    leased_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    stuck_in = models.CharField(max_length=10, blank=True)

    objects = ImportQuerySet.as_manager()

    class Meta:
        ordering = ("-id",)
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        indexes = [
            models.Index(
                "id", name="leads_import_working", condition=Q(state__in=["checking", "running"])
            ),
            models.Index("header_digest", F("id").desc(), name="leads_import_header"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(done_count__lte=F("row_count")), name="leads_import_done"
            )
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def encoding_name(self) -> str:
        """The encoding as people write it."""
        return {"utf-8-sig": "UTF-8", "utf-16": "UTF-16"}.get(self.encoding, self.encoding)

    @property
    def has_begun(self) -> bool:
        """Whether rows may have been written, so that the mapping is fixed."""
        return self.began_at is not None

    @property
    def is_working(self) -> bool:
        return self.state in self.WORKING

    @property
    def tally(self) -> dict:
        """The counts that matter now: of the import once it has begun, else of the check."""
        return self.run_tally if self.has_begun else self.check_tally


class ImportContent(models.Model):
    """The bytes of the file, apart from the row that lists read. Dropped after a while."""

    owner = models.OneToOneField(
        Import, on_delete=models.CASCADE, primary_key=True, related_name="content"
    )
    data = models.BinaryField()

    def __str__(self) -> str:
        return f"{self.owner_id}"


class ImportRow(models.Model):
    """What became of one row: once, however often the work on it was begun.

    A check leaves only the rows it has something to say about; they are replaced
    by the next check.
    """

    class Outcome(models.TextChoices):
        CREATED = "created", _("new")
        UPDATED = "updated", _("changed")
        UNCHANGED = "unchanged", _("unchanged")
        FAILED = "failed", _("left out")

    owner = models.ForeignKey(Import, on_delete=models.CASCADE, related_name="rows")
    is_check = models.BooleanField(default=False)
    number = models.PositiveIntegerField()
    line = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    object_id = models.BigIntegerField(null=True)
    # [{"code": …, "params": {…}}]: leads/imports/notes.py words them.
    notes = models.JSONField(default=list)

    class Meta:
        ordering = ("owner_id", "number")
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "is_check", "number"], name="leads_importrow_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.owner_id}/{self.number}: {self.get_outcome_display()}"
