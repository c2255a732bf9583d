"""The way of a version from its first changed weight into force, and what is next. Reads only."""

from __future__ import annotations

from dataclasses import dataclass

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from scoring import backtesting
from scoring.models import ModelVersion

State = ModelVersion.State
LABELS: dict[str, Promise] = {
    "edit": _("Change weights"),
    "preview": _("Preview"),
    "backtest": _("Back-test"),
    "submit": _("Ask for signatures"),
    "sign": _("Signatures"),
    "publish": _("Publish"),
}
STEPS = tuple(LABELS)


@dataclass(frozen=True)
class Step:
    """One step; `url` is where it is done. At most one step is the next."""

    key: str
    url: str
    is_done: bool
    is_next: bool
    is_here: bool

    @property
    def label(self) -> Promise:
        return LABELS[self.key]


def way(version: ModelVersion, here: str = "", *, is_changed: bool = True) -> list[Step]:
    """All steps of a version in the making, none of another.

    `here` is the step whose page is shown. Preview and back-test hold nobody up: who has
    looked at one is led to the next.
    """
    if version.state not in (State.DRAFT, State.IN_REVIEW, State.SIGNED):
        return []
    following = STEPS.index(_next(version, here, is_changed))
    urls = _urls(version)
    return [
        Step(key, urls[key], place < following, place == following, key == here)
        for place, key in enumerate(STEPS)
    ]


def _next(version: ModelVersion, here: str, is_changed: bool) -> str:
    if version.state == State.SIGNED:
        return "publish"
    if version.state == State.IN_REVIEW:
        return "sign"
    if not is_changed:
        return "edit"
    tested = backtesting.newest_of(version)
    if tested is not None and tested.finished_at:
        return "submit"
    return "backtest" if here in ("preview", "backtest") else "preview"


def _urls(version: ModelVersion) -> dict[str, str]:
    page = reverse("scoring:version", args=[version.number])
    return {
        "edit": reverse("admin:scoring_modelversion_change", args=[version.pk]),
        "preview": reverse("scoring:preview", args=[version.number]),
        "backtest": reverse("scoring:backtest", args=[version.number]),
        "submit": f"{page}#sides-title",
        "sign": f"{page}#sides-title",
        "publish": f"{page}#publish-title",
    }
