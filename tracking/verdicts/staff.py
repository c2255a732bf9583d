"""Browsers of colleagues: where an address was named that a rule says is ours, all is ours."""

from __future__ import annotations

from collections.abc import Iterable

from tracking.models import StaffBrowser, Verdict, VerdictRule
from tracking.verdicts.restating import restate
from tracking.verdicts.settling import Settled, settle


def note_browsers(changed: Iterable[Settled]) -> list[Settled]:
    """Remember the browsers in which one of these events named an address of ours, and judge all
    they ever did. Returns the events that became something else by that."""
    found = []
    for who, rule_id in _unknown_among(changed).items():
        StaffBrowser.objects.create(anonymous_id=who, rule_id=rule_id)
        ours = settle("e.anonymous_id = %(who)s AND e.anonymous_id <> ''", {"who": who})
        restate(ours, cause="staff_browser", rule_id=rule_id)
        found += ours
    return found


def _unknown_among(changed: Iterable[Settled]) -> dict[str, int]:
    """Anonymous id → rule, of browsers not yet noted."""
    named = {
        line.anonymous_id: line.rule_id
        for line in changed
        if line.verdict == Verdict.STAFF and line.rule_id and line.anonymous_id
    }
    if not named:
        return {}
    rules = VerdictRule.objects.filter(pk__in=set(named.values())).exclude(email_domain="")
    by_address = set(rules.values_list("pk", flat=True))
    noted = StaffBrowser.objects.filter(anonymous_id__in=named)
    known = set(noted.values_list("anonymous_id", flat=True))
    return {
        who: rule for who, rule in sorted(named.items()) if rule in by_address and who not in known
    }
