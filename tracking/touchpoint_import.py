"""Offline touchpoints, as something an import can bring: one row, one event of a known lead."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from leads.emails import normalised
from leads.imports import notes, presets, targets
from leads.imports.dates import Moment
from leads.imports.fields import EXTERNAL_ID, Field, Kind
from leads.imports.interpret import Record
from leads.imports.mapping import Mapping
from leads.imports.notes import Level, Note
from leads.imports.presets import Preset, to
from leads.imports.targets import Context, Outcome, RowPlan, Target
from leads.models import Lead
from leads.stages import Stage
from tracking.events import TOUCHPOINTS, kind_of
from tracking.models import Event
from tracking.touchpoints import IMPORTED, Touchpoint, record, source_called

_WORDS = {
    "event": "event_attended",
    "trade show": "event_attended",
    "fair": "event_attended",
    "webinar": "webinar_attended",
    "meeting": "meeting_held",
    "call": "call_held",
    "review": "review_posted",
    "review site": "review_posted",
    "referral": "referral_made",
    "social": "social_contact",
    "social media": "social_contact",
}


@dataclass
class _Known:
    """Where the report of a row links to."""

    pk: int


class TouchpointPlanner:
    """Finds the lead of each row by e-mail address; never makes one."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._leads: dict[str, Lead] = {}
        self._keys: set[str] = set()
        self._new: list[Touchpoint] = []

    def plan(self, records: Sequence[Record]) -> list[RowPlan]:
        self._load(records)
        return [self._plan_row(record) for record in records]

    def apply(self) -> None:
        record(self._new, source_called(IMPORTED), noted_by=self.context.by.label)
        self._new.clear()

    def _load(self, records: Sequence[Record]) -> None:
        emails = {_email(record) for record in records} - self._leads.keys() - {""}
        known = Lead.objects.annotate(lower=Lower("email")).filter(lower__in=emails)
        self._leads |= {lead.email.lower(): lead for lead in known.exclude(stage=Stage.MERGED)}
        keys = {_key(record) for record in records}
        events = Event.objects.filter(source__name=IMPORTED, message_id__in=keys)
        self._keys |= set(events.values_list("message_id", flat=True))

    def _plan_row(self, record: Record) -> RowPlan:
        row = RowPlan(record.number, record.line, notes=list(record.notes))
        lead, kind, at = self._leads.get(_email(record)), _kind(record), _instant(record)
        row.notes += self._complaints(record, lead, kind, at)
        if row.is_failed or lead is None or at is None:
            row.outcome = Outcome.FAILED
            return row
        row.subject = _Known(lead.pk)
        key = _key(record)
        if key in self._keys:
            return row
        self._keys.add(key)
        said = {name: record.values.get(name, "") for name in ("title", "place", "note")}
        self._new.append(Touchpoint(lead, kind, at, key, **said))
        row.outcome = Outcome.CREATED
        return row

    def _complaints(
        self, record: Record, lead: Lead | None, kind: str, at: datetime | None
    ) -> Iterator[Note]:
        if not _email(record):
            yield Note("no_key")
        elif lead is None:
            yield Note("unknown_lead")
        if not kind:
            yield Note("unknown_touchpoint", {"value": record.values.get("kind", "")})
        if at is None:
            yield Note("no_moment")
        elif at > self.context.now:
            yield Note("not_yet")


def _email(record: Record) -> str:
    text = record.values.get("email", "").strip().lower()
    return normalised(text) or text


def _kind(record: Record) -> str:
    """One of TOUCHPOINTS, or "" for a word that names none."""
    said = record.values.get("kind", "").strip()
    word = " ".join(said.lower().replace("_", " ").replace("-", " ").split())
    kind = _WORDS.get(word) or kind_of("track", said, "")
    return kind if kind in TOUCHPOINTS else ""


def _instant(record: Record) -> datetime | None:
    moment: Moment | None = record.moment("at")
    return moment.at if moment else None


def _key(record: Record) -> str:
    """The row's own id, or what it says: importing it again changes nothing."""
    if record.ids:
        return f"row:{record.ids[0][1]}"
    at = _instant(record)
    said = [record.values.get(name, "") for name in ("title", "place", "note")]
    text = "\n".join([_email(record), _kind(record), at.isoformat() if at else "", *said])
    return f"says:{hashlib.sha256(text.encode()).hexdigest()}"


def _missing(mapping: Mapping) -> Iterator[str]:
    for key, sentence in (
        ("email", _("Map a column to the e-mail address, so that the lead is found.")),
        ("at", _("Map a column to the date on which it happened.")),
        ("kind", _("Map a column to what happened, or choose it for all rows.")),
    ):
        if not mapping.has(key):
            yield sentence


_WHAT = gettext_lazy("Touchpoint")
FIELDS = (
    Field(EXTERNAL_ID, gettext_lazy("Key of the row"), _WHAT, Kind.ID, 190),
    Field("email", gettext_lazy("E-mail address of the lead"), _WHAT, Kind.TEXT, 254),
    Field(
        "kind",
        gettext_lazy("What happened (event, webinar, call, meeting, review, referral, social)"),
        _WHAT,
        Kind.TEXT,
        60,
        is_constant=True,
    ),
    Field("at", gettext_lazy("When"), _WHAT, Kind.MOMENT),
    Field("title", gettext_lazy("Title"), _WHAT, Kind.TEXT, 200, is_constant=True),
    Field("place", gettext_lazy("Site or network"), _WHAT, Kind.TEXT, 100, is_constant=True),
    Field("note", gettext_lazy("Note"), _WHAT, Kind.TEXT, 1000),
)
VOCABULARY = {
    "email": "email",
    "emailaddress": "email",
    "lead": "email",
    "이메일": "email",
    "touchpoint": "kind",
    "kind": "kind",
    "type": "kind",
    "activity": "kind",
    "what": "kind",
    "whathappened": "kind",
    "무엇": "kind",
    "유형": "kind",
    "date": "at",
    "when": "at",
    "언제": "at",
    "날짜": "at",
    "일시": "at",
    "happenedat": "at",
    "occurredat": "at",
    "title": "title",
    "subject": "title",
    "제목": "title",
    "event": "title",
    "eventname": "title",
    "site": "place",
    "사이트": "place",
    "network": "place",
    "note": "note",
    "내용": "note",
    "메모": "note",
    "notes": "note",
    "comment": "note",
    "id": EXTERNAL_ID,
    "key": EXTERNAL_ID,
    "rowkey": EXTERNAL_ID,
}
TARGET = Target(
    key="touchpoints",
    label=gettext_lazy("Touchpoints"),
    fields=FIELDS,
    vocabulary=VOCABULARY,
    planner=TouchpointPlanner,
    missing=_missing,
    view_name="leads:lead",
)
PRESET = Preset(
    key="touchpoints",
    label=gettext_lazy("Touchpoints by e-mail address"),
    target="touchpoints",
    signature=frozenset({"email", "touchpoint", "date"}),
    columns={
        "key": to(EXTERNAL_ID, system="touchpoint"),
        "email": to("email"),
        "touchpoint": to("kind"),
        "date": to("at"),
        "title": to("title"),
        "site": to("place"),
        "note": to("note"),
    },
)


_NOTES = (
    (
        "unknown_touchpoint",
        gettext_lazy("Not a touchpoint"),
        gettext_lazy(
            "“%(value)s” is none of event, webinar, call, meeting, review, referral, social."
        ),
    ),
    (
        "no_moment",
        gettext_lazy("Without a date"),
        gettext_lazy("The row says no date that can be read."),
    ),
    (
        "not_yet",
        gettext_lazy("Date in the future"),
        gettext_lazy("The date lies in the future."),
    ),
)


def register() -> None:
    """Called once, when the app is ready."""
    targets.register(TARGET)
    presets.register(PRESET)
    for code, label, sentence in _NOTES:
        notes.register(code, Level.ERROR, label, sentence)
