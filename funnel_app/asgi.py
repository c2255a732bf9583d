"""The one address of the product: events go to the collector, pages to Django."""

from a2wsgi import WSGIMiddleware

from funnel_app.wsgi import application as django

pages = WSGIMiddleware(django)


async def application(scope, receive, send) -> None:
    await pages(scope, receive, send)
