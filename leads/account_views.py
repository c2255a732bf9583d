"""Companies: the list, and who decides in each."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from leads import account_queries, custom_fields
from leads.models import Account, CustomField
from leads.paging import ACCOUNT_SORTS, read_page, row_number
from leads.queries import count_up_to
from users.requests import PageRequest

MOST_SUGGESTIONS = 10


@require_GET
def account_list(request: PageRequest) -> HttpResponse:
    text = request.GET.get("q", "").replace("\0", "")[:200]
    sort = request.GET.get("sort", "")
    sort = sort if sort in ACCOUNT_SORTS else "name"
    accounts = account_queries.accounts_for(request.user, text)
    page = read_page(
        account_queries.with_counts(accounts, request.user).select_related("standing"),
        ACCOUNT_SORTS[sort],
        after=row_number(request.GET.get("after")),
        before=row_number(request.GET.get("before")),
    )
    template = "accounts/list.html#results" if request.htmx else "accounts/list.html"
    context = {"text": text, "sort": sort, "page": page, "count": count_up_to(accounts)}
    return render(request, template, context)


@require_GET
def account_page(request: PageRequest, pk: int) -> HttpResponse:
    account = get_object_or_404(Account.objects.visible_to(request.user), pk=pk)
    people = account_queries.people_of(account, request.user)
    score = account_queries.score_of(account, request.user)
    own_fields = [
        (field.label, custom_fields.show_value(field, account.custom.get(field.key)))
        for field in custom_fields.definitions(CustomField.Target.ACCOUNT)
    ]
    context = {
        "account": account,
        "people": people,
        "open_count": sum(person.is_open for person in people),
        "missing_roles": account_queries.missing_roles(people),
        "own_fields": own_fields,
        "score": score,
        "why_no_score": "" if score else account_queries.why_no_score(account),
    }
    return render(request, "accounts/account.html", context)


@require_GET
def suggestions(request: PageRequest) -> HttpResponse:
    """Options for the company field of a form: names that contain what was typed."""
    text = (request.GET.get("q") or request.GET.get("company", "")).replace("\0", "").strip()[:100]
    accounts = account_queries.accounts_for(request.user, text).order_by("name")
    names = accounts.values_list("name", flat=True)[:MOST_SUGGESTIONS] if len(text) > 1 else []
    return render(request, "accounts/_suggestions.html", {"names": names})
