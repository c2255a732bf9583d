"""A marketer overrules the signals by a rule, sees beforehand what it changes, takes it back."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import partial

from django.db import connection, transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from leads import audit
from leads.actors import Actor
from leads.hints import hint
from leads.refusals import Conflict, Refused
from tracking.models import StaffBrowser, VerdictRule, VerdictRun
from tracking.verdicts.settling import MATCHES, NETWORK
from tracking.verdicts.weighing import VERDICT_OF_RULE

CONDITIONS = (
    "user_agent", "network", "email_domain", "path", "event_kind", "visitor", "source",
)  # fmt: skip
# Only networks of this size are stored, so no smaller one can be told apart.
STORED_PREFIX = {4: 24, 6: 48}
# As many of the newest events are looked at for a preview, so that it answers at once.
LOOKED_AT = 300_000


@dataclass(frozen=True)
class Preview:
    """What a rule would change among the newest events."""

    event_count: int
    lead_count: int
    visitor_count: int
    begin_count: int  # events that begin to count for something
    cease_count: int
    looked_at: int
    is_all: bool  # whether every stored event was looked at


def widen(network: str) -> str:
    """The network of an address or network as it is stored: at least a /24, IPv6 a /48.

    Raises Refused when it is neither.
    """
    try:
        given = ipaddress.ip_network(network.strip(), strict=False)
    except ValueError:
        raise Refused(
            _("“%(network)s” is no network such as 203.0.113.0/24.") % {"network": network}
        ) from None
    widest = min(given.prefixlen, STORED_PREFIX[given.version])
    return str(given.supernet(new_prefix=widest))


def read_rule(**said) -> VerdictRule:
    """A rule as it would be made, not stored. Raises Refused when it makes no sense."""
    rule = VerdictRule(**said)
    rule.network = widen(rule.network) if rule.network.strip() else ""
    rule.email_domain = rule.email_domain.strip().lower().rpartition("@")[2]
    rule.user_agent, rule.path = rule.user_agent.strip(), rule.path.strip()
    if not any(getattr(rule, name) for name in CONDITIONS):
        raise Refused(_("Say at least one thing by which the rule knows its events."))
    if not rule.reason.strip():
        raise Refused(_("Say why: the reason stands beside every event that the rule decides."))
    return rule


@transaction.atomic
def make_rule(rule: VerdictRule, *, by: Actor) -> VerdictRule:
    """Put a rule of read_rule into force. Stored events follow in the background."""
    rule.made_by, rule.made_by_label = by.user, by.label
    rule.save()
    audit.record(
        by, "added", object_kind="verdict_rule", object_id=rule.pk,
        changes={"effect": rule.effect, **conditions_of(rule)}, reason=rule.reason,
    )  # fmt: skip
    ask_for_run(rule=rule)
    return rule


@transaction.atomic
def end_rule(rule_id: int, *, by: Actor) -> VerdictRule:
    """Take a rule back: what it decided is again what signals and other rules say.

    Raises VerdictRule.DoesNotExist, and Conflict when somebody else was faster.
    """
    rule = VerdictRule.objects.select_for_update(no_key=True).get(pk=rule_id)
    if rule.ended_at is not None:
        raise Conflict(_("%(who)s has taken this rule back.") % {"who": rule.ended_by_label})
    rule.ended_at, rule.ended_by_label = now(), by.label
    rule.save(update_fields=["ended_at", "ended_by_label"])
    StaffBrowser.objects.filter(rule=rule).delete()
    audit.record(by, "ended", object_kind="verdict_rule", object_id=rule.pk)
    ask_for_run(rule=rule)
    return rule


def ask_for_run(*, rule: VerdictRule | None = None, cause: str = "") -> VerdictRun:
    """Have all stored events gone through, because of a rule, a list or a signal's meaning."""
    run = VerdictRun.objects.create(rule=rule, cause=cause[:100])
    transaction.on_commit(partial(hint, "tracking.tasks.judge_again"), robust=True)
    return run


def conditions_of(rule: VerdictRule) -> dict[str, str]:
    """Name → value of the conditions that the rule has."""
    return {name: str(value) for name in CONDITIONS if (value := getattr(rule, name))}


@transaction.atomic
def preview(rule: VerdictRule) -> Preview:
    """Count among the newest events what this rule (of read_rule) would change."""
    parameters = {
        **{name: getattr(rule, name) for name in CONDITIONS if name != "source"},
        "source_id": rule.source_id,
        "verdict": VERDICT_OF_RULE[rule.effect],
        "looked_at": LOOKED_AT,
    }
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '20s'")
        cursor.execute(_PREVIEW, parameters)
        row = cursor.fetchone()
    return Preview(*row)


_PREVIEW = f"""
WITH bounds AS MATERIALIZED (
  SELECT min(id) AS first, max(id) - %(looked_at)s AS above FROM tracking_event),
r AS MATERIALIZED (
  SELECT %(source_id)s::bigint AS source_id, %(event_kind)s::text AS event_kind,
         %(visitor)s::text AS visitor, %(user_agent)s::text AS user_agent, %(path)s::text AS path,
         %(network)s::text AS network, %(email_domain)s::text AS email_domain)
SELECT count(*), count(DISTINCT e.lead_id), count(DISTINCT nullif(e.anonymous_id, '')),
       count(*) FILTER (WHERE e.verdict >= 2 AND %(verdict)s < 2),
       count(*) FILTER (WHERE e.verdict < 2 AND %(verdict)s >= 2),
       %(looked_at)s, (SELECT coalesce(first > above, true) FROM bounds)
  FROM tracking_event e
 CROSS JOIN LATERAL (SELECT {NETWORK} AS ip OFFSET 0) n
 CROSS JOIN r
 WHERE e.id > (SELECT above FROM bounds) AND e.verdict <> %(verdict)s AND {MATCHES}
"""  # noqa: S608 - constants
