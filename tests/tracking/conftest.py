"""Event stories: what a sender says, stored and attached as in the running product."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from tests.tracking import running
from tests.tracking.running import Web
from tracking import attaching
from tracking.ingest import Envelope, prepare
from tracking.keys import issue_key
from tracking.models import Event, Source
from tracking.storing import store

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
_numbers = itertools.count(1)


@pytest.fixture
def website(db) -> Source:
    return Source.objects.create(name="Website", kind=Source.Kind.WEB)


@pytest.fixture
def crm(db) -> Source:
    """A server that signs with a secret key."""
    return Source.objects.create(name="CRM", kind=Source.Kind.SERVER)


Tell = Callable[..., Event]


@pytest.fixture
def tell(website: Source, crm: Source) -> Tell:
    """Say that something happened `ago`, from the website's visitor `who`; returns the event.

    `tell("page", who="v1", path="/pricing")`, `tell("Form Submitted", email="…")`: keywords
    that are no part of a message are its properties (an identify call's traits).
    """

    def tell_one(
        name: str,
        /,
        *,
        who: str = "",
        user: str = "",
        ago: timedelta = timedelta(),
        trusted: bool = False,
        context: dict | None = None,
        message_id: str = "",
        header: str = FIREFOX,
        **said,
    ) -> Event:
        now = datetime.now(UTC)
        call = name if name in ("page", "identify", "screen", "group", "alias") else "track"
        source = crm if trusted else website
        message = {
            "type": call,
            "event": name if call == "track" else None,
            "anonymousId": who or None,
            "userId": user or None,
            "messageId": message_id or f"m{next(_numbers)}",
            "timestamp": (now - ago).isoformat(),
            "context": context or {},
            "traits" if call in ("identify", "group") else "properties": said,
        }
        row = prepare(message, Envelope(source.pk, trusted, now, user_agent=header))
        store([row])
        return Event.objects.get(source=source, message_id=row["message_id"])

    return tell_one


@pytest.fixture
def attach(db) -> Callable[[], None]:
    """Work off everything that waits, as the relay does."""

    def attach_all() -> None:
        while attaching.drain():
            pass

    return attach_all


@pytest.fixture(scope="session")
def running_web(request):
    """The base URL of one web process, for all tests that need one."""
    request.getfixturevalue("django_db_setup")
    with running.web_process(running.test_database_url()) as url:
        yield url


@pytest.fixture
def web(transactional_db, running_web) -> Web:
    """The running web process with one source. What tests do here is committed."""
    source = Source.objects.create(name="Served")
    return Web(
        running_web,
        public_key=issue_key(source, is_secret=False)[1],
        secret_key=issue_key(source, is_secret=True)[1],
        source=source,
    )
