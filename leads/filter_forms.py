"""The filter form above a list of leads, and what it means."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from leads import queries
from leads.channels import Channel
from leads.countries import countries
from leads.filters import LeadFilter
from leads.models import Account, Lead, Standing
from leads.paging import DEFAULT_SORT, LEAD_SORTS
from leads.stages import FUNNEL, Stage
from users.models import Team, User
from users.roles import Role

NOBODY = "nobody"


def _choices(options, empty: str | Promise) -> list[tuple]:
    return [("", empty), *options]


class LeadFilterForm(forms.Form):
    """Everything is optional; what is not understood is left out and said so."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=200,
        widget=forms.TextInput(
            attrs={
                "type": "search",
                "data-search": "",
                "placeholder": _("Name, e-mail, company, title"),
                "autocomplete": "off",
            }
        ),
    )
    stage = forms.ChoiceField(
        label=_("Stage"), required=False, choices=_choices(Stage.choices, _("All stages"))
    )
    quadrant = forms.ChoiceField(
        label=_("Quadrant"),
        required=False,
        choices=_choices(Standing.Quadrant.choices, _("All quadrants")),
    )
    channel = forms.ChoiceField(
        label=_("Channel"), required=False, choices=_choices(Channel.choices, _("All channels"))
    )
    last_channel = forms.ChoiceField(
        label=_("Last touch"), required=False, choices=_choices(Channel.choices, _("Any channel"))
    )
    source = forms.CharField(
        label=_("Source"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"list": "known-sources", "placeholder": _("Any source")}),
    )
    owner = forms.ChoiceField(label=_("Owner"), required=False)
    team = forms.ModelChoiceField(
        Team.objects.all(), label=_("Team"), required=False, empty_label=_("All teams")
    )
    country = forms.ChoiceField(label=_("Country"), required=False)
    score_min = forms.DecimalField(
        label=_("Score from"), required=False, max_digits=9, decimal_places=2
    )
    score_max = forms.DecimalField(
        label=_("Score to"), required=False, max_digits=9, decimal_places=2
    )
    reached = forms.ChoiceField(
        label=_("Reached"),
        required=False,
        choices=_choices([(s.value, s.label) for s in FUNNEL], _("Created")),
    )
    entered_from = forms.DateField(
        label=_("from"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    entered_to = forms.DateField(
        label=_("to"), required=False, widget=forms.DateInput(attrs={"type": "date"})
    )
    account = forms.ModelChoiceField(
        Account.objects.all(), required=False, widget=forms.HiddenInput()
    )
    sort = forms.ChoiceField(
        label=_("Sort by"),
        required=False,
        choices=[(name, sort.label) for name, sort in LEAD_SORTS.items()],
    )

    def __init__(self, *args, user: User, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        people = [(NOBODY, _("Nobody")), *((str(p.pk), str(p)) for p in owners_for(user))]
        self._offer("owner", people, _("All owners"))
        names = dict(countries)
        known = sorted((str(names.get(c, c)), c) for c in queries.known_values("country", user))
        self._offer("country", [(c, n) for n, c in known], _("All countries"))
        account = self.fields["account"]
        assert isinstance(account, forms.ModelChoiceField)
        account.queryset = Account.objects.filter(
            pk__in=Lead.objects.visible_to(user).values("account")
        )

    def _offer(self, name: str, options: list[tuple], empty: str | Promise) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = _choices(options, empty)

    def wanted(self) -> LeadFilter:
        """The filter this form asks for; fields with an error narrow nothing."""
        self.is_valid()
        data = self.cleaned_data
        owner = data.get("owner", "")
        values: dict[str, Any] = {name: data.get(name) or "" for name in PLAIN_FIELDS}
        values |= {name: data.get(name) for name in RANGE_FIELDS}
        return LeadFilter(
            text=data.get("q", ""),
            owner_id=int(owner) if owner.isdecimal() else None,
            is_unowned=owner == NOBODY,
            team_id=_key(data.get("team")),
            account_id=_key(data.get("account")),
            **values,
        )

    @property
    def first_filters(self) -> list[forms.BoundField]:
        return [self[name] for name in FIRST_FILTERS]

    @property
    def more_filters(self) -> list[forms.BoundField]:
        return [self[name] for name in MORE_FILTERS]

    @property
    def has_more_filters(self) -> bool:
        return any(self.data.get(name) for name in MORE_FILTERS)

    @property
    def chosen_sort(self) -> str:
        return self.cleaned_data.get("sort") or DEFAULT_SORT

    @property
    def is_narrowed(self) -> bool:
        return any(v for k, v in self.cleaned_data.items() if k not in ("sort", "q"))


FIRST_FILTERS = ("stage", "owner", "channel")
MORE_FILTERS = (
    *("quadrant", "last_channel", "source", "country", "team", "score_min", "score_max"),
    *("reached", "entered_from", "entered_to"),
)
RANGE_FIELDS = ("score_min", "score_max", "entered_from", "entered_to")
PLAIN_FIELDS = ("stage", "channel", "last_channel", "source", "country", "quadrant", "reached")


def _key(row) -> int | None:
    return row.pk if row is not None else None


def owners_for(user: User) -> QuerySet[User]:
    """The sales people whose leads this user may see."""
    people = User.objects.filter(role__in=(Role.REP, Role.MANAGER), is_active=True)
    if user.role == Role.REP:
        return people.filter(pk=user.pk)
    if user.role == Role.MANAGER:
        return people.filter(team=user.team_id)
    return people
