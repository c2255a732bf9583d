"""`group`: a sender says to which company somebody belongs, and what that is like.

An id that is no domain means nothing by itself. Which account it is becomes known by a call that
names the company beside it, or by an admin; from then on the id is enough.
"""

from __future__ import annotations

from typing import Any

from django.db import transaction

from leads import accounts, audit
from leads.accounts import Facts
from leads.actors import Actor
from leads.domains import corporate_domain
from leads.models import Account, Lead
from leads.survivors import survivors_of
from tracking.claims import country_code
from tracking.ingest import NOBODY
from tracking.models import LONGEST_ID, Group, GroupMember
from tracking.register import Register
from tracking.visitors import Seen

JOINED = "account_joined"
MOST_EMPLOYEES = 2_147_483_647
_NAMES = ("name", "company", "company_name")
_DOMAINS = ("domain", "website", "url", "email_domain")
_INDUSTRIES = ("industry",)
_EMPLOYEES = ("employees", "employee_count", "number_of_employees", "size")


def join(register: Register, event: Seen, lead_id: int) -> None:
    """Draw what a group call says about this person's company, as far as its sender may."""
    facts = read_facts(event.properties)
    group = _group_named(event)
    if facts == Facts() and group is None:
        return
    lead = _locked(register.stands_for(lead_id))
    if not event.is_trusted:
        accounts.hint(lead, facts)
        return
    account = accounts.place(lead, facts, _meant(group, facts))
    if group is not None:
        _remember(group, lead_id, event)
        if account is not None and account != group.account and not group.is_chosen:
            _learn(group, account)


@transaction.atomic
def choose(group_id: int, account: Account | None, *, by: Actor) -> int:
    """Say by hand which account a group is (its primary key); None lets calls tell again.

    People who were put into the group follow. Returns how many.
    """
    group = Group.objects.select_for_update(no_key=True).get(pk=group_id)
    before = group.account_id
    group.is_chosen = account is not None
    count = _learn(group, account)
    audit.record(
        by, "edited", object_kind="group", object_id=group.pk,
        changes={"group": group.group_id, "account": [before, group.account_id]},
    )  # fmt: skip
    return count


def _group_named(event: Seen) -> Group | None:
    """The group that a trusted call names by an id which is no domain, its row locked.

    Whoever has a public key could put anybody into any company by its id.
    """
    named = event.properties.get("group_id")
    if not event.is_trusted or not isinstance(named, str) or named.lower() in NOBODY:
        return None
    if corporate_domain(named):
        return None
    group_id = named[:LONGEST_ID]
    Group.objects.bulk_create(
        [Group(source_id=event.source_id, group_id=group_id)], ignore_conflicts=True
    )
    groups = Group.objects.select_for_update(no_key=True, of=("self",)).select_related("account")
    return groups.get(source_id=event.source_id, group_id=group_id)


def _meant(group: Group | None, facts: Facts) -> Account | None:
    """The account known by this id. A domain says more than an id, a choice more than both."""
    account = group.account if group else None
    if group is None or account is None:
        return None
    is_other = bool(facts.domain) and facts.domain != account.domain.lower()
    return None if is_other and not group.is_chosen else account


def _remember(group: Group, lead_id: int, event: Seen) -> None:
    """The lead belongs to this group of the source, unless a later call named another one."""
    others = GroupMember.objects.filter(lead_id=lead_id, group__source_id=group.source_id)
    if others.filter(said_at__gt=event.occurred_at).exists():
        return
    others.exclude(group=group).delete()
    GroupMember.objects.update_or_create(
        group=group, lead_id=lead_id, defaults={"said_at": event.occurred_at}
    )


def _learn(group: Group, account: Account | None) -> int:
    """The id means this account from now on; people named with it before join, too.

    Returns how many. Nobody leaves an account by this.
    """
    before = group.account_id
    group.account = account
    group.save(update_fields=["account", "is_chosen"])
    if account is None or before == account.pk:
        return 0
    named = list(group.members.values_list("lead_id", flat=True))
    survivors = survivors_of(named)
    return accounts.take_in(
        account, {survivors.get(lead_id, lead_id) for lead_id in named}, instead_of=before
    )


def _locked(lead_id: int) -> Lead:
    leads = Lead.objects.select_for_update(no_key=True, of=("self",)).select_related("account")
    return leads.get(pk=lead_id)


def read_facts(traits: dict[str, Any]) -> Facts:
    """What the traits say; the group's id names a domain if it is one."""
    said = [traits.get(key) for key in _DOMAINS]
    domains = [
        corporate_domain(text)
        for text in (*said, traits.get("group_id"))
        if isinstance(text, str) and text.strip()
    ]
    return Facts(
        name=_first_text(traits, _NAMES)[:200],
        domain=next(filter(None, domains), ""),
        industry=_first_text(traits, _INDUSTRIES)[:100],
        employee_count=_first_number(traits, _EMPLOYEES),
        country=country_code(_first_text(_holder_of_country(traits), ("country", "country_code"))),
    )


def _holder_of_country(traits: dict[str, Any]) -> dict[str, Any]:
    address = traits.get("address")
    return address if isinstance(address, dict) and "country" in address else traits


def _first_text(traits: dict[str, Any], keys: tuple[str, ...]) -> str:
    texts = [value for key in keys if isinstance(value := traits.get(key), str)]
    return next((" ".join(text.split()) for text in texts if text.strip()), "")


def _first_number(traits: dict[str, Any], keys: tuple[str, ...]) -> int | None:
    """A number of people; also “1,200” and “1200+”, but no range such as “50-200”."""
    for key in keys:
        value = traits.get(key)
        if isinstance(value, str):
            digits = value.strip().rstrip("+").replace(",", "").replace("_", "")
            value = (
                int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < 11 else 0
            )
        if (isinstance(value, int | float) and not isinstance(value, bool)) and (
            0 < value <= MOST_EMPLOYEES
        ):
            return int(value)
    return None
