"""No flood after a publication: leads that it alone made ready go to sales so many a day.

Who did something of their own after the publication goes at once, as ever.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import connection
from django.db.models import F, Q, QuerySet
from django.utils.timezone import localdate

from leads.models import Lead
from leads.stages import Stage
from scoring.models import HeldLead, Publication


@contextmanager
def hold_the_newly_ready(publication: Publication) -> Iterator[None]:
    """Hold back the leads that become ready within, where the publication asks for it.

    In a transaction of the caller.
    """
    if not publication.daily_handoffs:
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("""
            CREATE TEMPORARY TABLE scoring_was_ready ON COMMIT DROP AS
            SELECT lead_id FROM leads_standing WHERE is_promising""")
        yield
        cursor.execute(
            """
            INSERT INTO scoring_heldlead (lead_id, publication_id)
            SELECT s.lead_id, %s FROM leads_standing s JOIN leads_lead l ON l.id = s.lead_id
             WHERE s.is_promising AND l.stage = %s
               AND NOT EXISTS (SELECT FROM scoring_was_ready w WHERE w.lead_id = s.lead_id)
            ON CONFLICT (lead_id) DO UPDATE SET publication_id = excluded.publication_id""",
            [publication.pk, Stage.QUALIFIED],
        )
        publication.held_count = cursor.rowcount
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
