"""The request of a page behind sign-in, as types know it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import HttpRequest

if TYPE_CHECKING:
    from django_htmx.middleware import HtmxDetails

    from users.models import User


class PageRequest(HttpRequest):
    """AccessMiddleware lets nobody else through; django-htmx adds `htmx`."""

    user: User  # type: ignore[assignment]
    htmx: HtmxDetails
