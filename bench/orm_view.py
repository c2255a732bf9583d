"""What one would write first: a plain view, one `Event.objects.create()` per request."""

from __future__ import annotations

import json

from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.utils.timezone import now

from tracking.models import Event


def page(request: HttpRequest, source_id: int) -> JsonResponse:
    message = json.loads(request.body)
    properties = message["properties"]
    Event.objects.create(
        source_id=source_id,
        message_id=message["messageId"],
        kind="page_viewed",
        occurred_at=now(),
        received_at=now(),
        anonymous_id=message["anonymousId"],
        url=properties["url"],
        path=properties["path"],
        referrer=properties["referrer"],
        title=properties["title"],
        user_agent=request.headers.get("user-agent", ""),
        properties=properties,
        context=message["context"],
    )
    response = JsonResponse({"success": True})
    response["Content-Length"] = len(response.content)
    return response


urlpatterns = [path("orm/<int:source_id>/page", page)]
