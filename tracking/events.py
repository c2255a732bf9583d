"""The vocabulary of events: which kind a Segment call or event name is, and how it reads.

Kinds are snake_case and past tense. Names of the Segment specification and the
usual spellings of others map to the kinds listed here; any other name is kept as
a kind of its own ("Order Completed" → order_completed).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LONGEST_KIND = 100  # characters


class Kind(NamedTuple):
    """One kind of event. `group` is web, email, offline or product; `icon` a template's name."""

    label: Promise | str
    group: str
    icon: str


KINDS: dict[str, Kind] = {
    "page_viewed": Kind(_("Page viewed"), "web", "eye"),
    "pricing_page_viewed": Kind(_("Pricing page viewed"), "web", "eye"),
    "page_engaged": Kind(_("Time spent on page"), "web", "clock"),
    "link_clicked": Kind(_("Link clicked"), "web", "click"),
    "file_downloaded": Kind(_("File downloaded"), "web", "download"),
    "form_submitted": Kind(_("Form submitted"), "web", "form"),
    "demo_requested": Kind(_("Demo requested"), "web", "form"),
    "video_watched": Kind(_("Video watched"), "web", "play"),
    "site_searched": Kind(_("Site searched"), "web", "search"),
    "identified": Kind(_("Identified"), "web", "user"),
    "screen_viewed": Kind(_("Screen viewed"), "product", "eye"),
    "signed_up": Kind(_("Signed up"), "product", "user"),
    "signed_in": Kind(_("Signed in"), "product", "user"),
    "trial_started": Kind(_("Trial started"), "product", "star"),
    "account_joined": Kind(_("Named an account"), "product", "account"),
    "aliased": Kind(_("Got another id"), "product", "user"),
    "email_sent": Kind(_("E-mail sent"), "email", "mail"),
    "email_delivered": Kind(_("E-mail delivered"), "email", "mail"),
    "email_opened": Kind(_("E-mail opened"), "email", "mail"),
    "email_link_clicked": Kind(_("Link in e-mail clicked"), "email", "click"),
    "email_attachment_opened": Kind(_("Attachment opened"), "email", "download"),
    "email_replied": Kind(_("E-mail answered"), "email", "mail"),
    "email_bounced": Kind(_("E-mail bounced"), "email", "alert"),
    "email_marked_as_spam": Kind(_("E-mail marked as spam"), "email", "alert"),
    "email_unsubscribed": Kind(_("Unsubscribed"), "email", "ban"),
    "meeting_booked": Kind(_("Meeting booked"), "offline", "calendar"),
    "meeting_held": Kind(_("Meeting held"), "offline", "meeting"),
    "call_held": Kind(_("Call held"), "offline", "phone"),
    "event_attended": Kind(_("Event attended"), "offline", "calendar"),
    "webinar_attended": Kind(_("Webinar attended"), "offline", "calendar"),
    "review_posted": Kind(_("Review posted"), "offline", "star"),
    "referral_made": Kind(_("Referral made"), "offline", "team"),
    "social_contact": Kind(_("Contact on a social network"), "offline", "team"),
}

PAGE_VIEWS = ("page_viewed", "pricing_page_viewed")
# What somebody did away from the web is a touch through this channel.
TOUCHPOINTS: dict[str, str] = {
    "event_attended": "event",
    "webinar_attended": "event",
    "meeting_held": "offline",
    "call_held": "offline",
    "review_posted": "review_site",
    "referral_made": "customer_referral",
    "social_contact": "organic_social",
}
MAIL_KINDS = frozenset(kind for kind, entry in KINDS.items() if entry.group == "email")
# Somebody says who they are; from a browser only these may create a lead.
FORM_KINDS = frozenset({"form_submitted", "demo_requested", "signed_up"})
# What no browser can witness: with a public key it is hearsay, and counts for nothing.
NOT_OF_BROWSERS = frozenset(
    {
        "email_sent",
        "email_delivered",
        "email_replied",
        "email_bounced",
        "email_marked_as_spam",
        "email_unsubscribed",
        *TOUCHPOINTS,
    }
)
# No sign of life: what a mail system did, not the person, and what stands on another event.
NOT_ACTIVITY = frozenset(
    {"email_sent", "email_delivered", "email_bounced", "account_joined", "aliased", "page_engaged"}
)

# Stands on the event of the page view, which earns the points.
NOT_SCORED = frozenset({"page_engaged"})

# The kind of a call whose name says nothing about it.
CALL_KINDS = {
    "page": "page_viewed",
    "screen": "screen_viewed",
    "identify": "identified",
    "group": "account_joined",
    "alias": "aliased",
}

# Names (lower case, words separated by one space) that mean one of the kinds above;
# a name that reads like a kind ("Email Opened") needs no line.
OTHER_NAMES = {
    "unsubscribed": "email_unsubscribed",
    "email unsubscribe": "email_unsubscribed",
    "email clicked": "email_link_clicked",
    "email link click": "email_link_clicked",
    "email open": "email_opened",
    "email bounce": "email_bounced",
    "email complained": "email_marked_as_spam",
    "email spam reported": "email_marked_as_spam",
    "email reply received": "email_replied",
    "email attachment clicked": "email_attachment_opened",
    "page view": "page_viewed",
    "viewed page": "page_viewed",
    "pageview": "page_viewed",
    "$pageview": "page_viewed",
    "pricing viewed": "pricing_page_viewed",
    "viewed pricing": "pricing_page_viewed",
    "viewed pricing page": "pricing_page_viewed",
    "clicked link": "link_clicked",
    "click": "link_clicked",
    "link click": "link_clicked",
    "cta clicked": "link_clicked",
    "download": "file_downloaded",
    "downloaded file": "file_downloaded",
    "file download": "file_downloaded",
    "asset downloaded": "file_downloaded",
    "form submit": "form_submitted",
    "form completed": "form_submitted",
    "submitted form": "form_submitted",
    "lead captured": "form_submitted",
    "requested demo": "demo_requested",
    "video playback completed": "video_watched",
    "video content completed": "video_watched",
    "products searched": "site_searched",
    "user signed up": "signed_up",
    "user registered": "signed_up",
    "user signed in": "signed_in",
    "demo booked": "meeting_booked",
    "meeting scheduled": "meeting_booked",
    "meeting completed": "meeting_held",
    "demo held": "meeting_held",
    "call": "call_held",
    "call completed": "call_held",
    "phone call": "call_held",
    "attended event": "event_attended",
    "trade show attended": "event_attended",
    "attended webinar": "webinar_attended",
    "review submitted": "review_posted",
    "referred": "referral_made",
    "social contact made": "social_contact",
}

# A page about prices in the languages our customers' sites are written in.
PRICING_PATH = re.compile(
    r"/(pricing|prices?|plans(-and-pricing)?|preise?|tarife?|tarifs?|prix|precios?|가격|요금제?)"
    r"(/|\.html?$|$)",
    re.IGNORECASE,
)
_NOT_WORD = re.compile(r"[^0-9a-z]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def kind_of(call: str, name: str, path: str) -> str:
    """The kind of a Segment call (`track`, `page`, …) with this event name and page path.

    A page view of a price list is a `pricing_page_viewed` *instead of* a `page_viewed`:
    one message stays one event. Reports on page views count both (PAGE_VIEWS).
    """
    kind = CALL_KINDS.get(call) or _kind_of_name(name)
    if kind == "page_viewed" and _is_about_prices(path):
        return "pricing_page_viewed"
    return kind


def _is_about_prices(path: str) -> bool:
    return _known_path(path) if len(path) <= 200 else PRICING_PATH.search(path) is not None


@lru_cache(maxsize=8192)
def _known_path(path: str) -> bool:
    return PRICING_PATH.search(path) is not None


@lru_cache(maxsize=4096)
def _kind_of_name(name: str) -> str:
    words = " ".join(name.split()).lower()
    snake = snake_case(name)
    known = OTHER_NAMES.get(words) or OTHER_NAMES.get(snake.replace("_", " "))
    return known or snake or "unnamed"


@lru_cache(maxsize=8192)
def snake_case(text: str) -> str:
    """“Order Completed”, “orderCompleted”, “order-completed” → “order_completed”.

    Letters of other scripts are kept; what is left empty is returned as it is.
    """
    spread = _HUMP.sub("_", text.strip())
    if spread.isascii():
        snake = _NOT_WORD.sub("_", spread.lower()).strip("_")
    else:
        snake = re.sub(r"[\W_]+", "_", spread.lower()).strip("_")
    return (snake or text.strip())[:LONGEST_KIND]


def describe(kind: str) -> Kind:
    """How to show a kind; one we do not know reads like its name."""
    return KINDS.get(kind) or Kind(kind.replace("_", " ").capitalize(), "product", "bolt")
