"""The channel rules: kept in memory by each process, and changed here.

A change counts the revision up, so every process notices (within a second, and at once
where visits are stored), and has all stored visits classified again.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Max
from django.utils.timezone import now
from django.utils.translation import gettext as _

from leads import audit
from leads.actors import Actor
from leads.channels import Channel
from leads.refusals import Refused
from tracking.channel_models import ChannelRule, ChannelRuleset, Operator, Subject

FRESH_SECONDS = 1.0
MOST_RULES = 200
MOST_VALUES = 200
FIELDS = (
    *("subject", "operator", "values", "also_subject", "also_operator", "also_values"),
    *("channel", "source", "medium", "is_active"),
)


@dataclass
class _Known:
    revision: int = 0
    checked_at: float = 0.0
    rules: tuple[ChannelRule, ...] = ()


_known = _Known()


def current() -> tuple[ChannelRule, ...]:
    """The active rules in order; may lag behind a change by FRESH_SECONDS."""
    if time.monotonic() - _known.checked_at > FRESH_SECONDS or not _known.rules:
        revision = ChannelRuleset.objects.values_list("revision", flat=True).first() or 0
        _remember(revision)
    return _known.rules


def hold() -> tuple[ChannelRule, ...]:
    """The active rules, which nobody changes until this transaction ends."""
    rows = ChannelRuleset.objects.raw(
        "SELECT id, revision FROM tracking_channelruleset WHERE id = 1 FOR SHARE"
    )
    _remember(next((row.revision for row in rows), 0))
    return _known.rules


def _remember(revision: int) -> None:
    if revision != _known.revision or not _known.rules:
        _known.rules = tuple(ChannelRule.objects.filter(is_active=True))
        _known.revision = revision
    _known.checked_at = time.monotonic()


def forget() -> None:
    """Read the rules anew at the next question; for tests that undo their changes."""
    _known.revision, _known.checked_at, _known.rules = 0, 0.0, ()


@transaction.atomic
def add_rule(values: dict, *, by: Actor, before: int | None = None) -> ChannelRule:
    """A new rule, in front of the rule with the id `before`, or last."""
    _begin_change()
    if ChannelRule.objects.count() >= MOST_RULES:
        raise Refused(_("There can be at most %(most)s rules.") % {"most": MOST_RULES})
    rule = ChannelRule(**_checked(values))
    anchor = ChannelRule.objects.filter(pk=before).first() if before else None
    if anchor is None:
        rule.position = (ChannelRule.objects.aggregate(last=Max("position"))["last"] or 0) + 1
    else:
        ChannelRule.objects.filter(position__gte=anchor.position).update(position=F("position") + 1)
        rule.position = anchor.position
    rule.save()
    _log(by, "added", rule, {name: [None, values.get(name)] for name in FIELDS})
    return rule


@transaction.atomic
def change_rule(rule_id: int, values: dict, *, by: Actor) -> ChannelRule:
    """Other conditions or another channel. Raises ChannelRule.DoesNotExist, Refused."""
    _begin_change()
    rule = ChannelRule.objects.select_for_update(no_key=True).get(pk=rule_id)
    checked = _checked(values)
    changes = {n: [getattr(rule, n), v] for n, v in checked.items() if getattr(rule, n) != v}
    for name, value in checked.items():
        setattr(rule, name, value)
    rule.save(update_fields=[*changes] or None)
    _log(by, "edited", rule, changes)
    return rule


@transaction.atomic
def move_rule(rule_id: int, *, up: bool, by: Actor) -> ChannelRule:
    """One place up or down; at the end of the list nothing happens."""
    _begin_change()
    rules = list(ChannelRule.objects.select_for_update(no_key=True))
    place = next(i for i, rule in enumerate(rules) if rule.pk == rule_id)
    other = place - 1 if up else place + 1
    if 0 <= other < len(rules):
        rules[place], rules[other] = rules[other], rules[place]
    for number, rule in enumerate(rules, 1):
        rule.position = number
    ChannelRule.objects.bulk_update(rules, ["position"])
    moved = next(rule for rule in rules if rule.pk == rule_id)
    _log(by, "moved", moved, {"position": [place + 1, moved.position]})
    return moved


@transaction.atomic
def remove_rule(rule_id: int, *, by: Actor) -> None:
    """Take a rule out; visits it decided are classified by those that stay."""
    rule = ChannelRule.objects.filter(pk=rule_id).first()
    if rule is None:
        return
    _begin_change()
    _log(by, "removed", rule, {name: [getattr(rule, name), None] for name in FIELDS})
    rule.delete()


def _begin_change() -> None:
    """One change at a time; waits for visits that are being stored by the rules so far."""
    ruleset = ChannelRuleset.objects.select_for_update().get(pk=1)
    ruleset.revision += 1
    ruleset.changed_at = now()
    ruleset.reclassified_up_to, ruleset.restated_count = 0, 0
    ruleset.save()
    transaction.on_commit(forget, robust=True)


def _checked(values: dict) -> dict:
    """The columns of a rule that makes sense. Raises Refused with a sentence."""
    found = {**values}
    if found.get("channel") not in Channel.values:
        raise Refused(_("Choose a channel."))
    _check_condition(found, "subject", "operator", "values")
    if found.get("also_subject"):
        _check_condition(found, "also_subject", "also_operator", "also_values")
    else:
        found |= {"also_subject": "", "also_operator": "", "also_values": []}
    return found


def _check_condition(found: dict, subject: str, operator: str, values: str) -> None:
    if found.get(subject) not in Subject.values or found.get(operator) not in Operator.values:
        raise Refused(_("Choose what the rule looks at, and how it compares."))
    if found[operator] == Operator.PRESENT:
        found[values] = []
        return
    kept = list(dict.fromkeys(v.strip().lower()[:200] for v in found.get(values, ()) if v.strip()))
    if not kept or len(kept) > MOST_VALUES:
        raise Refused(_("Give from 1 to %(most)s values to compare with.") % {"most": MOST_VALUES})
    found[values] = kept


def _log(by: Actor, verb: str, rule: ChannelRule, changes: dict) -> None:
    audit.record(by, verb, object_kind="channel_rule", object_id=rule.pk, changes=changes)
