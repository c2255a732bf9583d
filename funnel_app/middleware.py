"""What holds for every page: who may open it, and that no cache keeps it."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from funnel_app.access import roles_for

GetResponse = Callable[[HttpRequest], HttpResponse]


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
            return redirect_to_login(request.get_full_path())
        if getattr(request.user, "role", "") not in allowed:
            raise PermissionDenied
        return None


class PrivateResponseMiddleware:
    """Pages hold people's data: no shared or browser cache may keep them."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store"
        return response
