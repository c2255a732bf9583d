"""After the channel rules changed: every stored visit is classified again, a batch at a time.

What was restated shows everywhere: first touch of visitors, origin and touches of leads, and, by
the triggers of insights, the figures.
"""

from __future__ import annotations

from django.db import connection, transaction
from django.db.models import F

from tracking import channel_rules, touching
from tracking.channel_models import ChannelRuleset
from tracking.channels import Arrival
from tracking.sessions import classified
from tracking.visit_models import Visit

_CHANGED = ("channel", "source", "medium", "campaign", "rule_id")


def drain(limit: int = 2000) -> int:
    """Classify the next visits. Returns how many it looked at; 0 when all are done."""
    if not ChannelRuleset.objects.filter(reclassified_up_to__isnull=False).exists():
        return 0
    return _next_batch(limit)


@transaction.atomic
def _next_batch(limit: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '60s'")
    ruleset = ChannelRuleset.objects.select_for_update(skip_locked=True).filter(pk=1).first()
    if ruleset is None or ruleset.reclassified_up_to is None:
        return 0
    rules = channel_rules.hold()
    visits = list(
        Visit.objects.filter(pk__gt=ruleset.reclassified_up_to)
        .select_for_update(of=("self",))
        .defer("pages")
        .order_by("pk")[:limit]
    )
    changed = [visit for visit in visits if _classify(visit, rules)]
    Visit.objects.bulk_update(changed, [*_CHANGED[:-1], "rule"], batch_size=500)
    touching.restate_first_touches({v.anonymous_id for v in changed if not v.is_machine})
    touching.refresh(v.lead_id for v in changed if v.lead_id)
    done = len(visits) < limit
    ChannelRuleset.objects.filter(pk=1).update(
        reclassified_up_to=None if done else visits[-1].pk,
        restated_count=F("restated_count") + len(changed),
    )
    return len(visits)


def _classify(visit: Visit, rules) -> bool:
    """Set the columns that follow from the rules; whether any is another now."""
    before = [getattr(visit, name) for name in _CHANGED]
    for name, value in classified(arrival_of(visit), rules).items():
        setattr(visit, name, value)
    return before != [getattr(visit, name) for name in _CHANGED]


def arrival_of(visit: Visit) -> Arrival:
    """What the visit was classified by."""
    utm = (visit.source, visit.medium, visit.campaign) if visit.has_utm else ("", "", "")
    return Arrival(*utm, visit.click_id, visit.referrer, visit.landing_path)


def progress() -> dict:
    """For the page: how many visits wait to be classified again, and how many changed."""
    ruleset = ChannelRuleset.objects.get(pk=1)
    waiting = 0
    if ruleset.reclassified_up_to is not None:
        waiting = Visit.objects.filter(pk__gt=ruleset.reclassified_up_to).count()
    return {
        "revision": ruleset.revision,
        "changed_at": ruleset.changed_at,
        "waiting": waiting,
        "is_done": ruleset.reclassified_up_to is None,
        "restated": ruleset.restated_count,
    }
