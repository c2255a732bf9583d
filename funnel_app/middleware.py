"""What holds for every page: who may open it, and that no cache keeps it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import cast

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string

from funnel_app.access import roles_for
from users.requests import PageRequest

GetResponse = Callable[[HttpRequest], HttpResponse]


class DatabaseAwayMiddleware:
    """While PostgreSQL is away or too busy: 503 and when to come again, never 500.

    Stands above all that asks the database, so that it sees what became of any layer.
    Django turns an exception into a response where it happens; the signal is how we
    hear of it up here.
    """

    RETRY_SECONDS = 5

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        got_request_exception.connect(self._notice, dispatch_uid="database away")

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            response = self.get_response(request)
        except (OperationalError, InterfaceError) as error:
            if not is_passing(error):
                raise
            return self._come_again()
        return self._come_again() if getattr(request, "database_is_away", False) else response

    @staticmethod
    def _notice(sender: object, request: HttpRequest | None = None, **_: object) -> None:
        error = sys.exc_info()[1]
        if request is not None and error is not None and is_passing(error):
            request.database_is_away = True  # type: ignore[attr-defined]

    def _come_again(self) -> HttpResponse:
        try:
            page: str = render_to_string("503.html")
        except Exception:  # a page about trouble must not depend on anything
            page = "The database is not answering right now. Please come again in a moment."
        return HttpResponse(page, status=503, headers={"Retry-After": str(self.RETRY_SECONDS)})


# The server refuses connections or shuts down, runs out of something, or gives up waiting.
_PASSING_STATES = ("08", "53", "57", "55P03", "40P01")


def is_passing(error: BaseException) -> bool:
    """Whether the database failed for a reason that goes away by itself."""
    if not isinstance(error, (OperationalError, InterfaceError)):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(_PASSING_STATES)


class AccessMiddleware:
    """Deny by default: the matrix in funnel_app/access.py decides."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable, args: tuple, kwargs: dict
    ) -> HttpResponseBase | None:
        match = request.resolver_match
        allowed = roles_for(match.view_name if match else "")
        if "anonymous" in allowed:
            return None
        if not request.user.is_authenticated:
            return _to_sign_in(cast(PageRequest, request))
        if getattr(request.user, "role", "") not in allowed:
            raise PermissionDenied
        return None


def _to_sign_in(request: PageRequest) -> HttpResponse:
    """A fragment must not be replaced by a sign-in form: then the whole page goes there."""
    if not request.htmx:
        return redirect_to_login(request.get_full_path())
    page = request.htmx.current_url_abs_path or "/"
    return HttpResponse(headers={"HX-Redirect": redirect_to_login(page).url})


class PrivateResponseMiddleware:
    """Pages hold people's data: no shared or browser cache may keep them."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store"
        return response
