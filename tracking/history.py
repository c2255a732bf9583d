"""A lead's events as lines of its timeline, in words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext_lazy

from leads.channels import Channel
from leads.models import Lead
from leads.timeline import Entry, Narrowing, Unfolded
from tracking.claims import email_in
from tracking.events import describe
from tracking.history_queries import (
    Group,
    GroupKey,
    channels_of,
    events_of,
    kinds_of,
    read_groups,
)
from tracking.models import Event, Verdict
from tracking.verdicts.weighing import in_words

# An event that was under way longer than this is marked as late.
LATE = timedelta(hours=1)
LONGEST_OBJECT = 120  # characters
UNFOLDED = 50  # events of a folded line shown at a time

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
        ("form_name", "form", "form_title", "form_id", "asset"),
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
# Who did it, when it was nobody whom we are after.
_NOBODY: dict[int, Promise | str] = {
    Verdict.SUSPECTED: pgettext_lazy("who did it", "perhaps a machine"),
    Verdict.MACHINE: pgettext_lazy("who did it", "machine"),
    Verdict.STAFF: pgettext_lazy("who did it", "one of us"),
}
# What these name beside an address is the person: their name, their job.
_PERSONAL = ("name", "title")
_MAIL_SUBJECT = ("email_subject", "subject", "campaign_name", "email_name")


def read_entries(
    lead: Lead, before: datetime | None, limit: int, narrowing: Narrowing
) -> list[Entry]:
    """The lead's newest `limit` lines before that instant (leads.timeline.Activity)."""
    groups = read_groups(lead, before, limit, narrowing, LATE)
    events = Event.objects.defer("user_agent").in_bulk([group.newest_id for group in groups])
    return [
        _entry(events[group.newest_id]) if group.count == 1 else _folded(group)
        for group in groups
        if group.newest_id in events
    ]


def unfold(lead: Lead, group: str, after: str, narrowing: Narrowing) -> Unfolded | None:
    """The events that a folded line stands for (leads.timeline.Activity)."""
    key = GroupKey.read(group)
    if key is None:
        return None
    found = events_of(lead, key, narrowing, read_place(after), UNFOLDED + 1)
    has_more, events = len(found) > UNFOLDED, found[:UNFOLDED]
    place = f"{events[-1].occurred_at.isoformat()}~{events[-1].pk}" if has_more else ""
    return Unfolded([_entry(event) for event in events], place)


def choices(lead: Lead) -> dict[str, list[tuple[str, str]]]:
    """What the lead's activity can be narrowed to (leads.timeline.Activity)."""
    kinds = [(kind, str(describe(kind).label)) for kind in kinds_of(lead)]
    names = dict(Channel.choices)
    return {
        "kind": sorted(kinds, key=lambda choice: choice[1]),
        "channel": [(channel, str(names[channel])) for channel in channels_of(lead)],
    }


def _folded(group: Group) -> Entry:
    """Several events of one kind and day as one line."""
    if group.key.is_machine:
        title, icon = _("Machine activity"), "robot"
    else:
        kind = describe(group.key.kind)
        title, icon = str(kind.label), kind.icon
    shown = ", ".join(path[:60] for path in group.paths[:3])
    more = " …" if len(group.paths) > 3 else ""
    details = (shown + more, _attention(group.engaged_ms), _late_part(group))
    return Entry(
        at=group.at,
        key=f"event-{group.newest_id:020}",
        title=title,
        detail=" · ".join(filter(None, details)),
        icon=icon,
        actor=str(pgettext_lazy("who did it", "machine")) if group.key.is_machine else "",
        is_machine=group.key.is_machine,
        is_late=group.late_count > 0,
        count=group.count,
        group=str(group.key),
    )


def _late_part(group: Group) -> str:
    if not group.late_count:
        return ""
    sentence = ngettext(
        "%(n)s arrived late, by %(how_late)s",
        "%(n)s arrived late, by up to %(how_late)s",
        group.late_count,
    )
    return sentence % {"n": group.late_count, "how_late": _span(group.lateness)}


def _span(late: timedelta) -> str:
    """3 days, 5 hours"""
    if late.days:
        return ngettext("%(n)s day", "%(n)s days", late.days) % {"n": late.days}
    hours = max(late.seconds // 3600, 1)
    return ngettext("%(n)s hour", "%(n)s hours", hours) % {"n": hours}


def read_place(text: str) -> tuple[datetime, int] | None:
    """An instant and an id from an address; None for anything else."""
    instant, _tilde, pk = text.partition("~")
    try:
        at = parse_datetime(instant)
        number = int(pk)
        if at is None or at.tzinfo is None or not 0 < number < 2**63:
            return None
        return at.astimezone(UTC), number
    except (ValueError, OverflowError):
        return None


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
    if email_in(event.properties, {}):
        names = tuple(name for name in names if name not in _PERSONAL)
    for name in names:
        value = event.properties.get(name)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()[:LONGEST_OBJECT]
    return ""


def _entry(event: Event) -> Entry:
    reasons = in_words(event.verdict_signals) if event.verdict else []
    details = (
        _where(event), _attention(event.engaged_ms), _lateness(event), ", ".join(reasons)
    )  # fmt: skip
    return Entry(
        at=event.occurred_at,
        key=f"event-{event.pk:020}",
        title=title_of(event),
        detail=" · ".join(filter(None, details)),
        icon="robot" if event.is_machine else describe(event.kind).icon,
        actor=str(_NOBODY.get(event.verdict, "")),
        is_machine=event.is_machine,
        is_late=event.received_at - event.occurred_at >= LATE,
    )


def _where(event: Event) -> str:
    if event.kind == "email_link_clicked":
        link = event.properties.get("link_url")
        return link[:LONGEST_OBJECT] if isinstance(link, str) else ""
    if event.kind in ("page_viewed", "pricing_page_viewed"):
        return event.title[:LONGEST_OBJECT]
    return event.path[:LONGEST_OBJECT]


def _attention(engaged_ms: int | None) -> str:
    """How long somebody really looked at the page."""
    seconds = round((engaged_ms or 0) / 1000)
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
    late = event.received_at - event.occurred_at
    return _("arrived %(how_late)s late") % {"how_late": _span(late)} if late >= LATE else ""
