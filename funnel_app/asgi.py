"""The one address of the product: events go to the collector, pages to Django."""

import asyncio
from typing import Any, cast

from a2wsgi import WSGIMiddleware

from funnel_app.wsgi import application as django  # configures Django, so it comes first

from funnel_app.checks import refuse_unsafe_start  # isort: skip
from funnel_app.memory import settle_memory  # isort: skip
from funnel_app.slow_clients import Buffered  # isort: skip
from tracking.collector import status  # isort: skip
from tracking.collector.app import Collector  # isort: skip
from tracking.snippet import serving as snippet  # isort: skip

THREADS = 8  # for pages; each has its own database connection

# An unlimited send queue: a thread is free when Django is done, however slowly the client reads.
pages = Buffered(WSGIMiddleware(cast(Any, django), workers=THREADS, send_queue_size=0))
collector = Collector()


async def application(scope, receive, send) -> None:
    """Events and pixels, the snippet, health and figures, the server's start and stop, or pages."""
    if scope["type"] == "http":
        if scope["path"].startswith("/v1/"):
            await collector(scope, receive, send)
        elif scope["path"] in status.PLACES:
            await status.serve(collector, scope, send)
        elif snippet.serves(scope["path"]):
            await snippet.serve(scope, send)
        else:
            await pages(scope, receive, send)
    elif scope["type"] == "lifespan":
        await _live(receive, send)
    elif scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1000})


async def _live(receive, send) -> None:
    await receive()
    try:
        await asyncio.to_thread(refuse_unsafe_start)
    except SystemExit as refusal:
        await send({"type": "lifespan.startup.failed", "message": str(refusal)})
        return
    collector.start()
    settle_memory()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await collector.stop()
    await send({"type": "lifespan.shutdown.complete"})
