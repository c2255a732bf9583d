"""Which account somebody belongs to, by the domain of an address or what a sender says of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

from django.db import IntegrityError, transaction
from django.db.models.functions import Lower

from leads.domains import corporate_domain
from leads.models import Account, Lead
from leads.signals import profile_changed

FACTS = ("industry", "employee_count", "country")


@dataclass(frozen=True)
class Facts:
    """What is said about a company; empty where nothing is."""

    name: str = ""
    domain: str = ""
    industry: str = ""
    employee_count: int | None = None
    country: str = ""

    @property
    def is_nameless(self) -> bool:
        return not self.name and not self.domain


def join_by_address(lead: Lead, *, is_verified: bool) -> bool:
    """Give a locked lead without an account the one of its address's domain, made if it is new.

    Returns whether it has one by this. Free mail and the like name no company.
    """
    domain = corporate_domain(lead.email) if lead.account_id is None else ""
    if not domain:
        return False
    facts = Facts(name=lead.company, domain=domain)
    lead.account = _found(facts, is_verified=is_verified) or _made(facts)
    lead.save(update_fields=["account"])
    return True


def place(lead: Lead, facts: Facts, known: Account | None = None) -> Account | None:
    """A trusted source says to which company a locked lead belongs, and what that is like.

    `known` is the account meant, where more than the facts tells. Returns that of the lead.
    """
    if known is None and facts.is_nameless:
        return None
    account = known or _found(facts, is_verified=True) or _made(facts)
    changed = {name for name in ("account", "company") if _moves(lead, account, facts, name)}
    if changed:
        lead.save(update_fields=changed)
    if describe(account, facts, is_overwriting=True) or changed:
        _tell(account, lead)
    return account


def take_in(account: Account, lead_ids: Iterable[int], *, instead_of: int | None = None) -> int:
    """Put people into the account where nobody has said otherwise of them: those who have none,
    only that of their address's domain, or the one (its id) that this is now known to be instead.

    Returns how many joined.
    """
    leads = Lead.objects.select_for_update(no_key=True, of=("self",)).select_related("account")
    joining = [
        lead
        for lead in leads.filter(pk__in=list(lead_ids)).exclude(account=account).order_by("pk")
        if lead.account is None
        or lead.account_id == instead_of
        or (lead.account.domain and lead.account.domain == corporate_domain(lead.email))
    ]
    for lead in joining:
        lead.account = account
        lead.company = lead.company or account.name
    Lead.objects.bulk_update(joining, ["account", "company"], batch_size=500)
    if joining:
        _tell(account, joining[0])
    return len(joining)


def hint(lead: Lead, facts: Facts) -> None:
    """Anybody may fill in what is still empty about a locked lead's company, and no more; of
    somebody verified not even that."""
    if lead.is_email_verified:
        return
    is_news = bool(facts.name) and not lead.company
    if is_news:
        lead.company = facts.name
        lead.save(update_fields=["company"])
    account = lead.account
    if (account and describe(account, facts, is_overwriting=False)) or is_news:
        _tell(account, lead)


def describe(account: Account, facts: Facts, *, is_overwriting: bool) -> bool:
    """Take over what is said about the company; returns whether anything changed."""
    said = asdict(facts)
    changed = [
        name
        for name in FACTS
        if said[name]
        and said[name] != getattr(account, name)
        and (is_overwriting or getattr(account, name) in ("", None))
    ]
    for name in changed:
        setattr(account, name, said[name])
    if facts.name and account.name == account.domain and is_overwriting:
        account.name = facts.name
        changed.append("name")
    if changed:
        account.save(update_fields=changed)
    return bool(changed)


def _moves(lead: Lead, account: Account, facts: Facts, name: str) -> bool:
    if name == "account" and lead.account_id != account.pk:
        lead.account = account
        return True
    if name == "company" and facts.name and not lead.company:
        lead.company = facts.name
        return True
    return False


def _found(facts: Facts, *, is_verified: bool) -> Account | None:
    """By domain; by name only where somebody trusted says so, who may also add the domain."""
    if facts.domain:
        by_domain = Account.objects.alias(lower=Lower("domain")).filter(lower=facts.domain)
        if (account := by_domain.first()) is not None:
            return account
    if not (is_verified and facts.name):
        return None
    named = Account.objects.alias(lower=Lower("name")).filter(lower=facts.name.lower())
    account = named.filter(domain="").order_by("pk").first() or (
        None if facts.domain else named.order_by("pk").first()
    )
    if account is not None and facts.domain:
        account.domain = facts.domain
        account.save(update_fields=["domain"])
    return account


def _made(facts: Facts) -> Account:
    """A new account; the same one when somebody else was faster with this domain."""
    try:
        with transaction.atomic():
            return Account.objects.create(name=facts.name or facts.domain, domain=facts.domain)
    except IntegrityError:
        return Account.objects.alias(lower=Lower("domain")).get(lower=facts.domain)


def tell_people_of(accounts: Iterable[Account]) -> None:
    """What is said about these accounts changed. Fit rules look at it: of everybody in them."""
    people = Lead.objects.filter(account__in=[account.pk for account in accounts])
    if ids := sorted(people.values_list("pk", flat=True)):
        profile_changed.send(sender=Account, lead_ids=ids)


def _tell(account: Account | None, lead: Lead) -> None:
    """As tell_people_of, and of this lead, which may have joined or left it."""
    ids = set(account.leads.values_list("pk", flat=True)) if account else set()
    profile_changed.send(sender=Lead, lead_ids=sorted(ids | {lead.pk}))
