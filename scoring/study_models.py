"""Long computations about all leads whose result is stored for a page: rows that stand for work."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Study(models.Model):
    """Asked for by somebody, worked off in the background (scoring/studies.py), read by a page.

    A study begins anew when its process dies: nothing of it is stored before the end.
    `attempts` counts the beginnings. `result` is plain JSON, empty until `finished_at`.
    """

    MOST_ATTEMPTS = 3

    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+"
    )
    requested_at = models.DateTimeField(db_default=Now())
    done_count = models.PositiveIntegerField(default=0)
    total_count = models.PositiveIntegerField(null=True)
    finished_at = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True)
    result: models.JSONField[Any] = models.JSONField(default=dict)

    class Meta:
        abstract = True

    @property
    def is_stopped(self) -> bool:
        """Failed so often that nobody tries again until somebody asks for it anew."""
        return self.finished_at is None and self.attempts > self.MOST_ATTEMPTS

    @property
    def is_running(self) -> bool:
        return self.finished_at is None and not self.is_stopped

    @property
    def share_done(self) -> float | None:
        """0..1; None while nobody knows how much there is to do."""
        return min(self.done_count / self.total_count, 1.0) if self.total_count else None


class BackTest(Study):
    """How a version would have ranked leads whose outcome is known by now.

    `fingerprint` is that of the version's numbers when it was asked for: a draft that
    changed since has no back-test yet.
    """

    version = models.ForeignKey(
        "scoring.ModelVersion", on_delete=models.CASCADE, related_name="backtests"
    )
    fingerprint = models.CharField(max_length=64)

    class Meta:
        ordering = ("-id",)
        verbose_name = _("back-test")
        verbose_name_plural = _("back-tests")
        constraints = [
            models.UniqueConstraint(
                fields=["version"], condition=Q(finished_at=None), name="scoring_backtest_one_open"
            )
        ]

    def __str__(self) -> str:
        return f"back-test of version {self.version_id}"
