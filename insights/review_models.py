"""What became of the agreement on the score since it was signed: a review, made when asked for."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from scoring.models import ModelVersion
from scoring.study_models import Study


class Review(Study):
    """A look at one version: what sales rejects, what its rules do, what outcomes suggest."""

    version = models.ForeignKey(ModelVersion, on_delete=models.CASCADE, related_name="reviews")

    class Meta:
        ordering = ("-id",)
        verbose_name = _("review of the scoring model")
        verbose_name_plural = _("reviews of the scoring model")
        constraints = [
            models.UniqueConstraint(
                fields=["version"], condition=Q(finished_at=None), name="insights_review_one_open"
            )
        ]

    def __str__(self) -> str:
        return f"review of version {self.version_id}"
