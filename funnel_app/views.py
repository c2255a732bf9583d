"""The front door and the error pages."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.views.decorators.http import require_safe

from funnel_app.navigation import landing_url
from users.requests import PageRequest


def home(request: PageRequest) -> HttpResponse:
    """Everybody's front door leads to the page where their day starts."""
    url = landing_url(request.user)
    return HttpResponseRedirect(url) if url else render(request, "home.html")


@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """Pages name their icon; browsers that show a file or a plain sentence ask here for one."""
    return HttpResponseRedirect(static("img/favicon.svg"))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "403.html", status=403)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    return render(request, "403_csrf.html", status=403)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return HttpResponse(render_to_string("400.html"), status=400)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """Drawn without the request: session, user or sidebar may be what failed."""
    return HttpResponse(render_to_string("500.html"), status=500)
