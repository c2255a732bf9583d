"""No flood after a publication: leads that it alone made ready go to sales so many a day.

Who did something of their own after the publication goes at once, as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from django.db.models import F, Q, QuerySet
from django.utils.timezone import localdate

from leads.models import Lead
from scoring.models import HeldLead, Publication


@contextmanager
def hold_the_newly_ready(
    publication: Publication, waiting: Callable[[], QuerySet[Lead]]
) -> Iterator[None]:
    """Hold back those of the `waiting` leads that become ready within, if the publication asks.

    Who was ready by an earlier version is not held. In a transaction of the caller.
    """
    if not publication.daily_handoffs:
        yield
        return
    ready = waiting().filter(standing__is_promising=True)
    number = publication.version.number
    were_ready = set(ready.exclude(standing__model_version=number).values_list("pk", flat=True))
    yield
    rows = [
        HeldLead(lead_id=lead_id, publication=publication)
        for lead_id in ready.values_list("pk", flat=True)
        if lead_id not in were_ready
    ]
    HeldLead.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["lead"],
        update_fields=["publication"],
        batch_size=1000,
    )
    publication.held_count = len(rows)
    publication.save(update_fields=["held_count"])


def without_held(leads: QuerySet[Lead]) -> QuerySet[Lead]:
    """Those of these leads that nothing holds back, or that were active since."""
    is_silent = Q(last_activity__at=None) | Q(
        last_activity__at__lte=F("held__publication__activated_at")
    )
    return leads.exclude(Q(held__isnull=False) & is_silent)


def release() -> int:
    """Let today's share go, the best first. Returns how many. Twice a day does no harm."""
    waiting = Publication.objects.filter(held__isnull=False).distinct()
    return sum(_release_of(publication) for publication in waiting)


def _release_of(publication: Publication) -> int:
    assert publication.activated_at and publication.daily_handoffs
    days = (localdate() - localdate(publication.activated_at)).days + 1
    held = HeldLead.objects.filter(publication=publication)
    gone = publication.held_count - held.count()
    share = max(days * publication.daily_handoffs - gone, 0)
    best_first = held.order_by("-lead__standing__score", "lead")
    return let_go(list(best_first.values_list("lead", flat=True)[:share]))


def let_go(lead_ids: Sequence[int]) -> int:
    """Hold these leads back no longer."""
    return HeldLead.objects.filter(lead__in=lead_ids).delete()[0]
