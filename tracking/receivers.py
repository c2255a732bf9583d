"""News from below: events follow leads that are merged, or whose merge is taken apart."""

from __future__ import annotations

from leads.models import Merge
from tracking import merging


def before_merge(sender, **kwargs) -> None:
    merging.take_locks()


def on_merged(sender, merge: Merge, **kwargs) -> None:
    merging.unite(merge)


def on_unmerged(sender, merge: Merge, **kwargs) -> set[str]:
    return merging.separate(merge)
