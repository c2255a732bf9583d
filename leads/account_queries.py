"""What the pages of accounts read."""

from __future__ import annotations

from django.db.models import Count, F, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from leads.lead_queries import with_roles
from leads.models import Account, AccountQuerySet, BuyingRole, Lead
from leads.stages import FUNNEL

MOST_PEOPLE = 200


def accounts_for(user, text: str = "") -> AccountQuerySet:
    """The accounts this user may see, with how many visible people are in the funnel."""
    accounts = Account.objects.visible_to(user)
    if text.strip():
        accounts = accounts.filter(name__icontains=text.strip())
    return accounts


def with_counts(accounts: AccountQuerySet, user) -> QuerySet[Account]:
    """Adds `people_count` and `open_count`: people of the account whom this user may see."""
    people = Lead.objects.visible_to(user).filter(account=OuterRef("pk"), merged_into=None)
    return accounts.annotate(
        people_count=_count(people), open_count=_count(people.filter(stage__in=FUNNEL))
    )


def _count(people: QuerySet[Lead]) -> Coalesce:
    counted = people.order_by().values("account").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def people_of(account: Account, user) -> list[Lead]:
    """Visible people with their buying roles, those in the funnel and most promising first."""
    visible = Lead.objects.visible_to(user).filter(account=account, merged_into=None)
    people = with_roles(visible)
    ranked = people.order_by(F("standing__score").desc(nulls_last=True), "pk")[:MOST_PEOPLE]
    return sorted(ranked, key=lambda lead: not lead.is_open)


def missing_roles(people: list[Lead]) -> list[str]:
    """Buying roles that nobody of these people is known to play."""
    known = {role.kind for person in people for role in person.buying_roles.all()}
    return [str(kind.label) for kind in BuyingRole.Kind if kind not in known]
