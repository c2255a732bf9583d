"""The sidebar: what each role works with, in the order of its day."""

from django.http import HttpRequest


def navigation(request: HttpRequest) -> dict:
    return {"navigation": []}
