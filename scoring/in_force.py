"""Which version a draft would replace."""

from __future__ import annotations

from scoring.models import ModelVersion


def version_in_force() -> ModelVersion | None:
    """The version that scores leads now; None before the first is published."""
    return ModelVersion.objects.active()
