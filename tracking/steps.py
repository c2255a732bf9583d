"""The way of a message from our door to the disk: named steps, and why each may drop it.

    received = accepted + duplicate + rejected (one Reason each) + quarantined

Every reason belongs to exactly one step, so the counts by reason, which are written in the
transaction that stores the events, also say how far messages come.
"""

from __future__ import annotations

from typing import NamedTuple

from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Reason(models.TextChoices):
    """Why a message was rejected."""

    ORIGIN_NOT_ALLOWED = "origin_not_allowed", _("The key may not be used from this website.")
    OUT_OF_SCOPE = "out_of_scope", _("The key may not be used for this.")
    OPTED_OUT = "opted_out", _("The browser asks not to be tracked (Sec-GPC or DNT).")
    TOO_LARGE = (
        "too_large",
        _("The message is larger than 32 KB, or the request larger than 500 KB."),
    )
    BAD_ENCODING = (
        "bad_encoding",
        _("The body is not gzip as its Content-Encoding says, or is cut off."),
    )
    BAD_JSON = "bad_json", _("The body is not JSON.")
    NO_BATCH = "no_batch", _("The body of a batch has no list named batch.")
    TOO_MANY = "too_many", _("A batch holds more than 2,500 messages.")
    NOT_AN_OBJECT = "not_an_object", _("The message is not a JSON object.")
    UNKNOWN_TYPE = (
        "unknown_type",
        _("The type is none of track, identify, page, screen, group, alias."),
    )
    NO_EVENT_NAME = "no_event_name", _("A track message has no event name.")
    NO_IDENTITY = "no_identity", _("There is no userId, anonymousId or e-mail address.")


class Dropped(Exception):
    """The message cannot be stored, and why."""

    def __init__(self, reason: Reason | str) -> None:
        self.reason = Reason(reason)
        super().__init__(self.reason.value)


class Step(NamedTuple):
    """One step: its name, what it does, and for which reasons it drops a message."""

    name: str
    about: str | Promise
    reasons: tuple[Reason, ...] = ()


# Of a whole request, before its messages are told apart (tracking/collector/).
DOOR = (
    Step(
        "gate",
        _(
            "What is the key good for: from which website, for which path?"
            " May the browser be followed?"
        ),
        (Reason.ORIGIN_NOT_ALLOWED, Reason.OUT_OF_SCOPE, Reason.OPTED_OUT),
    ),
    Step("size", _("Is it small enough?"), (Reason.TOO_LARGE,)),
    Step("unpack", _("Unpack gzip."), (Reason.BAD_ENCODING,)),
    Step("parse", _("Read the JSON."), (Reason.BAD_JSON,)),
    Step("batch", _("Find the messages of a batch."), (Reason.NO_BATCH, Reason.TOO_MANY)),
)
# Of each message, in this order (tracking/ingest.py).
MESSAGE = (
    Step("call", _("Which call is it?"), (Reason.NOT_AN_OBJECT, Reason.UNKNOWN_TYPE)),
    Step("clean", _("Clean properties, traits and context; make their keys snake_case.")),
    Step("name", _("What is the event named?"), (Reason.NO_EVENT_NAME,)),
    Step("identity", _("Who is it about?"), (Reason.NO_IDENTITY,)),
    Step("place", _("On which page did it happen, and which kind of event is that?")),
    Step("time", _("When did it happen, by a clock that may be wrong?")),
    Step("device", _("Shorten the IP address; note the signs of a machine.")),
)
# Of all rows that wait together (tracking/storing.py).
DISK = (Step("store", _("Commit; a message id that is known already is a duplicate.")),)
STEPS = (*DOOR, *MESSAGE, *DISK)
STEP_OF = {reason: step.name for step in STEPS for reason in step.reasons}
