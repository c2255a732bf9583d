"""Mails and what becomes of them: opened, clicked, bounced, or read by a machine first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

from funnel_app.demo.happenings import MACHINE, SUSPECTED, Happening

# In order, so that "every link within seconds" is what a scanner does.
LINKS = ("/products/conveyor-vision", "/customers/alster-brewing", "/pricing", "/resources")


def send(
    rng: Random, at: datetime, subject: str, *, opens: float, clicks: float, reader: str
) -> Iterator[Happening]:
    """One mail sent at `at`. `opens` is the chance to be opened, `clicks` to be clicked then.

    `reader` is who gets to it first: a "person", a "scanner" or a picture-loading "proxy".
    """
    mail = {"subject": subject}
    yield Happening(at, "email_sent", title=subject, properties=mail)
    delivered = at + timedelta(seconds=rng.uniform(1, 40))
    yield Happening(delivered, "email_delivered", title=subject, properties=mail)
    if reader == "scanner":
        yield from _scan(rng, delivered, subject)
    elif reader == "proxy":
        yield _open_by_proxy(rng, delivered, subject)
    if rng.random() >= opens:
        return
    wait = timedelta(hours=rng.lognormvariate(0.6, 1.5))
    opened = delivered + min(wait, timedelta(days=9))
    yield Happening(opened, "email_opened", title=subject, properties=mail)
    if rng.random() < clicks:
        clicked = opened + timedelta(seconds=rng.uniform(5, 200))
        link = rng.choice(LINKS)
        yield Happening(
            clicked, "email_link_clicked", link, subject, -1, {"subject": subject, "link": link}
        )


def _scan(rng: Random, delivered: datetime, subject: str) -> Iterator[Happening]:
    """A mail scanner opens the mail and clicks all its links within seconds."""
    at = delivered + timedelta(seconds=rng.uniform(0.4, 3))
    yield Happening(at, "email_opened", "", subject, -1, {"subject": subject}, "", MACHINE)
    for link in LINKS:
        at += timedelta(seconds=rng.uniform(0.1, 0.8))
        yield Happening(
            at,
            "email_link_clicked",
            link,
            subject,
            -1,
            {"subject": subject, "link": link},
            "",
            MACHINE,
        )


def _open_by_proxy(rng: Random, delivered: datetime, subject: str) -> Happening:
    """A mail program that loads pictures before anyone has looked."""
    at = delivered + timedelta(seconds=rng.uniform(2, 50))
    return Happening(at, "email_opened", "", subject, -1, {"subject": subject}, "", SUSPECTED)


def bounce(at: datetime, subject: str) -> Iterator[Happening]:
    mail = {"subject": subject}
    yield Happening(at, "email_sent", title=subject, properties=mail)
    yield Happening(
        at + timedelta(seconds=4),
        "email_bounced",
        title=subject,
        properties=mail | {"bounce_type": "hard"},
    )
