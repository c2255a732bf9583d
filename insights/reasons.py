"""Why stays ended: the reason given with the step that ended them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, F, Func, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.fields import TextField
from django.db.models.functions import Coalesce

from insights.filters import NOT_SET
from insights.models import Stay
from leads.models import StageEpisode
from leads.stages import MERGE_KINDS

MOST_REASONS = 12


@dataclass(frozen=True)
class Reason:
    """One reason of one way out. `text` is empty where none was given."""

    exit_kind: str
    text: str
    stay_count: int

    @property
    def address(self) -> str:
        return self.text or NOT_SET


def with_reasons(stays: QuerySet[Stay]) -> QuerySet[Stay]:
    """Every stay with `reason`: what was said when it ended, up to the first colon.

    Sales writes "Bad timing: call again in May"; what follows the colon is one case's note.
    """
    later = StageEpisode.objects.filter(lead=OuterRef("lead_id"), seq__gt=OuterRef("seq"))
    ending = later.exclude(entry_kind__in=MERGE_KINDS).order_by("seq")
    heading = Func(
        F("reason"), Value(": "), Value(1), function="split_part", output_field=TextField()
    )
    said = Subquery(ending.values(heading=heading)[:1])
    return stays.annotate(reason=Coalesce(said, Value(""), output_field=TextField()))


def for_reason(stays: QuerySet[Stay], address: str) -> QuerySet[Stay]:
    """The stays (with reasons) that ended for the reason with this address."""
    return stays.filter(Q(("reason", "" if address == NOT_SET else address)))


def count_reasons(stays: QuerySet[Stay]) -> list[Reason]:
    """The commonest reasons of these stays, commonest first."""
    grouping = ("exit_kind", "reason")
    counted = with_reasons(stays).values_list(*grouping).annotate(stay_count=Count("*"))
    return [Reason(*row) for row in counted.order_by("-stay_count", *grouping)[:MOST_REASONS]]
