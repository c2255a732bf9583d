"""A lead's events as lines of its timeline, in words."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from leads.models import Lead
from leads.timeline import Entry
from tracking.events import describe
from tracking.models import Event

# An event that was under way longer than this is marked as late.
LATE = timedelta(hours=1)
LONGEST_OBJECT = 120  # characters

# kind: (sentence with the object, the properties that name the object; the first found counts)
_SENTENCES: dict[str, tuple[Promise | str, tuple[str, ...]]] = {
    "page_viewed": (gettext_lazy("Viewed page %(it)s"), ()),
    "pricing_page_viewed": (gettext_lazy("Viewed pricing page %(it)s"), ()),
    "link_clicked": (gettext_lazy("Clicked link %(it)s"), ("text", "label", "href", "url")),
    "file_downloaded": (
        gettext_lazy("Downloaded “%(it)s”"),
        ("file_name", "filename", "asset", "title", "name", "file", "url"),
    ),
    "form_submitted": (
        gettext_lazy("Sent form “%(it)s”"),
        ("form_name", "form", "form_id", "name", "asset"),
    ),
    "demo_requested": (gettext_lazy("Requested a demo (%(it)s)"), ("form_name", "product")),
    "video_watched": (gettext_lazy("Watched video “%(it)s”"), ("title", "video", "name")),
    "site_searched": (gettext_lazy("Searched for “%(it)s”"), ("query", "search", "term")),
    "email_sent": (gettext_lazy("Was sent e-mail “%(it)s”"), ()),
    "email_delivered": (gettext_lazy("Received e-mail “%(it)s”"), ()),
    "email_opened": (gettext_lazy("Opened e-mail “%(it)s”"), ()),
    "email_link_clicked": (gettext_lazy("Clicked link in e-mail “%(it)s”"), ()),
    "email_attachment_opened": (gettext_lazy("Opened attachment “%(it)s”"), ("attachment", "file")),
    "email_replied": (gettext_lazy("Answered e-mail “%(it)s”"), ()),
    "email_bounced": (gettext_lazy("E-mail “%(it)s” bounced"), ()),
    "email_marked_as_spam": (gettext_lazy("Marked e-mail “%(it)s” as spam"), ()),
    "email_unsubscribed": (gettext_lazy("Unsubscribed with e-mail “%(it)s”"), ()),
    "event_attended": (gettext_lazy("Attended “%(it)s”"), ("event_name", "title", "name")),
    "webinar_attended": (
        gettext_lazy("Attended webinar “%(it)s”"),
        ("webinar", "event_name", "title", "name"),
    ),
    "meeting_booked": (gettext_lazy("Booked meeting “%(it)s”"), ("title", "subject", "name")),
    "meeting_held": (gettext_lazy("Had meeting “%(it)s”"), ("title", "subject", "name")),
    "call_held": (gettext_lazy("Had a call (%(it)s)"), ("subject", "title", "outcome")),
    "review_posted": (gettext_lazy("Posted a review on %(it)s"), ("site", "review_site")),
    "screen_viewed": (gettext_lazy("Viewed screen “%(it)s”"), ("name", "title")),
}
_MAIL_SUBJECT = ("email_subject", "subject", "campaign_name", "email_name")


def read_entries(lead: Lead, before: datetime | None, limit: int) -> list[Entry]:
    """The lead's newest `limit` events before that instant (leads.timeline.Source)."""
    # The time on a page stands beside its view.
    events = Event.objects.filter(lead=lead).exclude(kind="page_engaged")
    events = events.order_by("-occurred_at", "-id")
    if before is not None:
        events = events.filter(occurred_at__lt=before)
    return [_entry(event) for event in events.defer("user_agent")[:limit]]


def title_of(event: Event) -> str:
    """What happened, as a sentence without its subject: “Viewed page /pricing”."""
    sentence, names = _SENTENCES.get(event.kind, ("", ()))
    it = _object_of(event, names)
    if sentence and it:
        return str(sentence) % {"it": it}
    return str(describe(event.kind).label)


def _object_of(event: Event, names: tuple[str, ...]) -> str:
    if event.kind in ("page_viewed", "pricing_page_viewed"):
        return (event.path or event.title or event.name)[:LONGEST_OBJECT]
    if event.kind.startswith("email_") and not names:
        names = _MAIL_SUBJECT
    for name in names:
        value = event.properties.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()[:LONGEST_OBJECT]
    return ""


def _entry(event: Event) -> Entry:
    return Entry(
        at=event.occurred_at,
        key=f"event-{event.pk:020}",
        title=title_of(event),
        detail=" · ".join(filter(None, (_where(event), _attention(event), _lateness(event)))),
        icon="robot" if event.is_machine else describe(event.kind).icon,
        actor=str(pgettext_lazy("who did it", "machine")) if event.is_machine else "",
        is_machine=event.is_machine,
    )


def _where(event: Event) -> str:
    if event.kind == "email_link_clicked":
        link = event.properties.get("link_url")
        return link[:LONGEST_OBJECT] if isinstance(link, str) else ""
    if event.kind in ("page_viewed", "pricing_page_viewed"):
        return event.title[:LONGEST_OBJECT]
    return event.path[:LONGEST_OBJECT]


def _attention(event: Event) -> str:
    """How long somebody really looked at the page."""
    seconds = round((event.engaged_ms or 0) / 1000)
    if seconds < 1:
        return ""
    if seconds < 60:
        return _("%(seconds)d s on the page") % {"seconds": seconds}
    minutes, seconds = divmod(seconds, 60)
    return _("%(minutes)d min %(seconds)d s on the page") % {
        "minutes": minutes,
        "seconds": seconds,
    }


def _lateness(event: Event) -> str:
    if event.received_at - event.occurred_at < LATE:
        return ""
    arrived = date_format(localtime(event.received_at), "SHORT_DATETIME_FORMAT")
    return _("arrived late, on %(at)s") % {"at": arrived}
