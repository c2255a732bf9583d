"""What the page “Install tracking” shows: the snippet of a source, and what it received last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tracking.inspection import Line, line_of
from tracking.models import IngestCount, InspectedMessage, Source, WriteKey
from tracking.snippet.serving import snippet
from tracking.staff_marks import staff_mark

Outcome = IngestCount.Outcome


class Example(NamedTuple):
    """Something to copy. `id` is that of its element."""

    id: str
    label: Promise | str
    text: str


@dataclass(frozen=True)
class Installation:
    """How to send with one source to the product at `address`, its origin.

    `public_key` is "" when the source has none in force.
    """

    source: Source
    public_key: str
    address: str

    @property
    def line(self) -> Example:
        """What every page of a website gets."""
        return Example("line", _("Snippet"), self._tag(f"{self.address}/t.js"))

    @property
    def pinned(self) -> Example:
        """The same, of a version that never changes."""
        return Example("pinned", _("Snippet"), self._tag(self.address + snippet().pinned_path))

    @property
    def colleagues(self) -> Example:
        """What stands behind an address of the website that a colleague opens. Secret."""
        return Example("colleagues", _("Mark"), f"#funnel-staff={staff_mark(self.source.pk)}")

    @property
    def policy(self) -> Example:
        text = f"script-src {self.address}; connect-src {self.address}"
        return Example("policy", "Content-Security-Policy", text)

    @property
    def servers(self) -> list[Example]:
        """How servers send; a secret key is shown only once, so it has to be filled in."""
        return [
            Example(name.lower().replace(".", ""), name, text.replace("ADDRESS", self.address))
            for name, text in (("Python", _PYTHON), ("Node.js", _NODE), ("curl", _CURL))
        ]

    def _tag(self, url: str) -> str:
        return f'<script async src="{url}" data-key="{self.public_key}"></script>'


STUB = Example(
    "stub",
    _("Before the script is there"),
    """window.funnel = window.funnel || function () {
  (funnel.q = funnel.q || []).push(arguments);
};
funnel("consent", true);""",
)
BANNER = Example(
    "banner",
    _("For the consent banner"),
    """// when somebody agrees
funnel.consent(true);
// when somebody refuses, or takes it back
funnel.consent(false);""",
)
_PYTHON = """# pip install segment-analytics-python
import segment.analytics as analytics

analytics.write_key = "SECRET_KEY"
analytics.host = "ADDRESS"
analytics.identify("user-1", {"email": "ada@example.com", "consent": True})
analytics.track("user-1", "Trial Started", {"plan": "team"})
analytics.flush()"""
_NODE = """// npm install @segment/analytics-node
import { Analytics } from "@segment/analytics-node";

const analytics = new Analytics({ host: "ADDRESS", writeKey: "SECRET_KEY" });
analytics.identify({ userId: "user-1", traits: { email: "ada@example.com", consent: true } });
analytics.track({ userId: "user-1", event: "Trial Started", properties: { plan: "team" } });
await analytics.closeAndFlush();"""
_CURL = """curl ADDRESS/v1/track -u SECRET_KEY: -H 'Content-Type: application/json' -d '{
  "userId": "user-1", "event": "Trial Started", "properties": {"plan": "team"}}'"""


@dataclass(frozen=True)
class Receipt:
    """The last message of a source that was stored, and the last that was refused.

    `since` is the newest of both when the page was opened: later ones are news.
    """

    since: int
    accepted: Line | None
    rejected: Line | None

    @property
    def is_received(self) -> bool:
        return self.accepted is not None and self.accepted.message.pk > self.since

    @property
    def is_refused(self) -> bool:
        """Whether the latest news are bad."""
        newest = self.accepted.message.pk if self.accepted else 0
        return self.rejected is not None and self.rejected.message.pk > max(self.since, newest)


def installation_of(source: Source, address: str) -> Installation:
    keys = WriteKey.objects.filter(source=source, is_secret=False, revoked_at=None)
    newest = keys.order_by("created_at").last()
    return Installation(source, newest.key if newest else "", address)


def receipt_of(source: Source, since: int | None = None) -> Receipt:
    """What came since the message with that number; None: since now."""
    accepted, rejected = _newest(source, Outcome.ACCEPTED), _newest(source, Outcome.REJECTED)
    if since is None:
        since = max((line.message.pk for line in (accepted, rejected) if line), default=0)
    return Receipt(since, accepted, rejected)


def _newest(source: Source, outcome: str) -> Line | None:
    mine = InspectedMessage.objects.filter(source=source, outcome=outcome)
    message = mine.select_related("key", "quarantined").order_by("-pk").first()
    return line_of(message) if message else None
