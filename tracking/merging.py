"""Events follow their leads: united when two are merged, given back when that is taken apart.

Visitors, user ids and addresses stay with the lead they name; events are the survivor's.
What came after the merge is given back by asking anew whom it names (tracking/identity.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from django.db import connection

from leads import merging_claims
from leads.activity import restate_activity, touch_activity
from leads.merging_claims import Said
from leads.models import LastActivity, Merge
from tracking import identity
from tracking.attaching import hold
from tracking.events import NOT_ACTIVITY
from tracking.introductions import said_in
from tracking.models import Event, MergedEvents, Verdict
from tracking.register import INTRODUCING, open_register
from tracking.signals import event_recorded
from tracking.stored_events import batches, read_events
from tracking.visitors import known_visitors

# Events may have waited so long to be attached when their lead was merged.
LONGEST_WAIT = timedelta(days=1)


def unite(merge: Merge) -> None:
    """Give the survivor all events of the loser, in the transaction of the merge."""
    active = dict(
        LastActivity.objects.filter(lead__in=(merge.survivor_id, merge.loser_id)).values_list(
            "lead_id", "at"
        )
    )
    moved = _move("e.lead_id = %(loser)s", merge.loser_id, merge.survivor_id, {})
    MergedEvents.objects.create(
        merge=merge, event_ids=moved, survivor_active_at=active.get(merge.survivor_id)
    )
    if latest := active.get(merge.loser_id):
        touch_activity({merge.survivor_id: latest})
    _tell(merge, moved)


def separate(merge: Merge) -> set[str]:
    """Give the loser its events back, and those that came since and name the loser.

    Returns the causes (leads.Consent.cause) of answers that the latter may have given.
    """
    united = MergedEvents.objects.get(merge=merge)
    own = _give(merge, united.event_ids)
    since = [
        event_id
        for some in batches(_recent_ids(merge, united.event_ids))
        for event_id in _give(merge, _naming_loser(merge, some))
    ]
    merging_claims.give_back(merge, _said_in(since), _said_in(_introducing(merge)))
    _restate_activity(merge, united)
    _tell(merge, sorted([*own, *since]))
    return {f"event {event_id}" for event_id in since}


def take_locks() -> None:
    """Nobody attaches events meanwhile, or some could be given to a lead merged away."""
    hold()


def _naming_loser(merge: Merge, event_ids: Sequence[int]) -> list[int]:
    """Those of these events whose visitor, user id or address are the loser's."""
    events = read_events(event_ids)
    register = open_register(events, known_visitors(events), is_reading=True)
    return [
        event.id for event in events if identity.owner_by_names(register, event) == merge.loser_id
    ]


def _introducing(merge: Merge) -> list[int]:
    """Introductions of the survivor itself that came since the merge."""
    events = Event.objects.filter(
        lead=merge.survivor_id, received_at__gte=merge.merged_at, kind__in=INTRODUCING
    )
    return list(events.order_by("pk").values_list("pk", flat=True))


def _said_in(event_ids: Sequence[int]) -> list[Said]:
    """What these events told of the profile of the lead that they name, in their order."""
    wanted = Event.objects.filter(pk__in=event_ids, kind__in=INTRODUCING)
    events = read_events(list(wanted.values_list("pk", flat=True)))
    register = open_register(events, {}, is_reading=True)
    return [said_in(register, event) for event in events if identity.tells_profile(register, event)]


def _recent_ids(merge: Merge, known: Sequence[int]) -> list[int]:
    """Events of the survivor that came since the merge, or shortly before it."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id FROM tracking_event
             WHERE lead_id = %s AND received_at >= %s AND id <> ALL(%s::bigint[]) ORDER BY id
            """,
            [merge.survivor_id, merge.merged_at - LONGEST_WAIT, list(known)],
        )
        return [row[0] for row in cursor.fetchall()]


def _give(merge: Merge, event_ids: Sequence[int]) -> list[int]:
    which = "e.id = ANY(%(ids)s::bigint[])"
    return _move(which, merge.survivor_id, merge.loser_id, {"ids": list(event_ids)})


def _move(which: str, giver: int, taker: int, parameters: dict) -> list[int]:
    """Of these events those that are the giver's become the taker's; returns their ids."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            UPDATE tracking_event e SET lead_id = %(taker)s
             WHERE e.lead_id = %(giver)s AND {which} RETURNING e.id
            """,  # noqa: S608 - conditions of our own
            {"giver": giver, "taker": taker, "loser": giver, **parameters},
        )
        return sorted(row[0] for row in cursor.fetchall())


def _restate_activity(merge: Merge, united: MergedEvents) -> None:
    """The survivor's may move back; the loser's only forward, for it kept its own."""
    restate_activity(
        """
        SELECT id AS lead_id, greatest(
               CASE WHEN id = %(survivor)s THEN %(before)s::timestamptz
                    ELSE (SELECT a.at FROM leads_lastactivity a WHERE a.lead_id = id) END,
               (SELECT max(e.occurred_at) FROM tracking_event e
                 WHERE e.lead_id = l.id AND e.verdict < %(machine)s
                   AND e.kind <> ALL(%(silent)s))) AS at
          FROM leads_lead l WHERE id IN (%(survivor)s, %(loser)s)
        """,
        {
            "survivor": merge.survivor_id,
            "loser": merge.loser_id,
            "before": united.survivor_active_at,
            "machine": int(Verdict.MACHINE),
            "silent": sorted(NOT_ACTIVITY),
        },
    )


def _tell(merge: Merge, event_ids: Sequence[int]) -> None:
    event_recorded.send(
        sender=Event,
        lead_ids=sorted((merge.survivor_id, merge.loser_id)),
        event_ids=list(event_ids),
    )
