"""What the pages of accounts read."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Count, F, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from leads.lead_queries import with_roles
from leads.models import Account, AccountQuerySet, AccountStanding, BuyingRole, Lead
from leads.stages import FUNNEL, Stage

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


@dataclass(frozen=True)
class ScoreLine:
    """One part of an account's score in words; the values add up to the score, to the cent.

    `lead` is the person behind it, where one is and the reader may see them.
    """

    words: str
    value: Decimal
    lead: Lead | None = None


def why_no_score(account: Account) -> str:
    """In a sentence, for an account without a score. Of all of its people, whoever asks.

    Who counts is said in SQL as well, by account_scores.COUNTS of the app above.
    """
    people = Lead.objects.filter(account=account, merged_into=None)
    counting = people.exclude(stage=Stage.DISQUALIFIED)
    if counting.filter(standing__scored_at__isnull=False).exists():
        return _("The score is being counted. That takes a moment.")
    if people.exists() and not counting.exists():
        return _("Nobody here counts for the score: all people of this account were disqualified.")
    return _("Nobody here has been scored yet. The score follows from what its people do.")


def score_of(account: Account, user) -> list[ScoreLine]:
    """Why the account has its score; empty while it has none.

    Everybody who may see the account sees how many people count, but only their own by name.
    """
    standing = AccountStanding.objects.filter(account=account).first()
    if standing is None or standing.score is None:
        return []
    best = Lead.objects.visible_to(user).filter(pk=standing.best_lead_id or 0).first()
    further = max(standing.engaged_count - 1, 0)
    people = ngettext(
        "%(n)s further person shows interest", "%(n)s further people show interest", further
    )
    roles = ngettext(
        "%(n)s buying role among those who show interest",
        "%(n)s buying roles among those who show interest",
        standing.role_count,
    )
    last = standing.last_activity_at
    recency = (
        _("Last activity %(on)s") % {"on": date_format(localtime(last), "SHORT_DATE_FORMAT")}
        if last
        else _("No activity yet")
    )
    return [
        ScoreLine(_("The best score of a person"), standing.best, best),
        ScoreLine(people % {"n": further}, standing.people),
        ScoreLine(roles % {"n": standing.role_count}, standing.roles),
        ScoreLine(recency, standing.recency),
    ]
