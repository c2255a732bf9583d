"""What the page of a version shows. Reads only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Min, Model
from django.utils.timezone import localdate
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from leads.models import AuditEntry
from scoring.condition_wording import describe_condition
from scoring.dictionaries import EXPLAINS, names_in
from scoring.models import DEFAULT_MODEL_ID, HeldLead, ModelVersion, Publication, Signature
from scoring.signing import side_of
from scoring.vocabulary import Axis
from users.models import User

State = ModelVersion.State
# How long before it is due people are reminded of a review.
REMIND_BEFORE = timedelta(days=14)

SAID = {
    "submitted": _("submitted it for signature"),
    "signed": _("signed it"),
    "agreed": _("was the second to sign: it is agreed"),
    "sent_back": _("sent it back"),
    "published": _("published it"),
    "brought_back": _("brought it back into force"),
    "called_off": _("called its publication off"),
    "given_up": _("gave it up"),
    "reviewed": _("reviewed it: it stays as it is"),
}
REWORDED = {
    "added": _("added the word “%(word)s” after it was signed (%(dictionary)s)"),
    "edited": _("changed what “%(word)s” means after it was signed (%(dictionary)s)"),
    "deleted": _("removed the word “%(word)s” after it was signed (%(dictionary)s)"),
    "renewed": _("changed words that came with it after it was signed (%(dictionary)s)"),
}
MOST_DEEDS = 50


@dataclass(frozen=True)
class Deed:
    """One line of a version's own history."""

    at: datetime
    who: str
    said: str
    reason: str


def deeds(version: ModelVersion) -> list[Deed]:
    """Who did what with a version, and with words it goes by since it was signed; newest first."""
    entries = AuditEntry.objects.filter(object_kind="scoring_version", object_id=version.pk)
    own = [
        Deed(entry.at, entry.actor_label, str(SAID.get(entry.verb, entry.verb)), entry.reason)
        for entry in entries[:MOST_DEEDS]
    ]
    both = sorted(_rewordings(version) + own, key=lambda deed: deed.at, reverse=True)
    return both[:MOST_DEEDS]


def _rewordings(version: ModelVersion) -> list[Deed]:
    """Edits of dictionaries that moved scores under this version without a new signature."""
    signed_at = version.signatures.aggregate(first=Min("signed_at"))["first"]
    since = signed_at or version.published_at
    dictionaries = {str(m._meta.model_name): m for m in _dictionaries_of(version)}
    if since is None or not dictionaries:
        return []
    entries = AuditEntry.objects.filter(object_kind__in=dictionaries, at__gte=since)
    if version.retired_at and not _scores_older_leads(version):
        entries = entries.filter(at__lt=version.retired_at)
    return [_rewording(entry, dictionaries[entry.object_kind]) for entry in entries[:MOST_DEEDS]]


def _dictionaries_of(version: ModelVersion) -> list[type[Model]]:
    """Those that explain a field which the version, or its model, asks for."""
    asked = names_in(version.model.conditions)
    for conditions in version.rules.values_list("signal__conditions", flat=True):
        asked |= names_in(conditions)
    return [model for model, fields in EXPLAINS.items() if asked & set(fields)]


def _scores_older_leads(version: ModelVersion) -> bool:
    """Whether the version in force is for new leads only, and the others stayed with this one."""
    newer = ModelVersion.objects.in_force().filter(replaces=version)
    return newer.exclude(after_lead_id=None).exists()


def _rewording(entry: AuditEntry, dictionary: type[Model]) -> Deed:
    said = REWORDED.get(entry.verb, REWORDED["edited"]) % {
        "word": entry.changes.get("what", ""),
        "dictionary": dictionary._meta.verbose_name_plural,
    }
    return Deed(entry.at, entry.actor_label or gettext("An update of the product"), said, "")


@dataclass(frozen=True)
class SideLine:
    """A side and its signature, if it has signed."""

    side: Signature.Side
    signature: Signature | None


def sides(version: ModelVersion) -> list[SideLine]:
    """Marketing and sales."""
    signed = {s.side: s for s in version.signatures.select_related("signed_by")}
    return [SideLine(side, signed.get(side)) for side in Signature.Side]


@dataclass(frozen=True)
class Allowed:
    """What this user may do with a version now."""

    study: bool
    edit: bool
    submit: bool
    sign: bool
    send_back: bool
    publish: bool
    give_up: bool
    bring_back: bool
    call_off: bool
    confirm: bool


def allowed(version: ModelVersion, user: User, publication: Publication | None) -> Allowed:
    side = side_of(user.role)
    is_on_its_way = publication is not None and publication.is_running
    by_sides = version.signatures.all()
    has_signed = any(s.side == side or s.signed_by_id == user.pk for s in by_sides)
    in_review = version.state == State.IN_REVIEW
    is_signed = version.state == State.SIGNED and not is_on_its_way
    was_in_force = version.state == State.RETIRED and version.published_at is not None
    return Allowed(
        study=user.is_admin or side is not None,
        edit=user.is_admin and version.is_draft,
        submit=user.is_admin and version.is_draft,
        sign=in_review and side is not None and not has_signed,
        send_back=in_review and (user.is_admin or side is not None),
        publish=user.is_admin and is_signed,
        give_up=user.is_admin and is_signed,
        bring_back=user.is_admin and was_in_force and not is_on_its_way,
        call_off=user.is_admin and publication is not None and publication.is_waiting,
        confirm=version.state == State.ACTIVE and (user.is_admin or side is not None),
    )


def whom(version: ModelVersion) -> list[str]:
    """The conditions of its model in words; none for the model of all others."""
    return [describe_condition(condition, Axis.FIT) for condition in version.model.conditions]


def newest_publication(version: ModelVersion) -> Publication | None:
    return version.publications.select_related("version", "requested_by").first()


def models_for_some() -> list[ModelVersion]:
    """The versions in force of all models but the default one, in the order they are asked."""
    special = ModelVersion.objects.in_force().exclude(model=DEFAULT_MODEL_ID)
    return list(special.order_by("model__position"))


@dataclass(frozen=True)
class Held:
    """Leads that a publication made ready and that wait for their turn, so many a day."""

    count: int
    daily: int


def held(version: ModelVersion) -> Held | None:
    """Those whom the newest publication of this version holds that holds anybody."""
    publication = version.publications.filter(held__isnull=False).first()
    if publication is None:
        return None
    count = HeldLead.objects.filter(publication=publication).count()
    return Held(count, publication.daily_handoffs or 0)


@dataclass(frozen=True)
class DueReview:
    """An active version whose review is due soon, or overdue."""

    version: ModelVersion
    due_on: date

    @property
    def is_overdue(self) -> bool:
        return self.due_on < localdate()


def due_reviews() -> list[DueReview]:
    """Reviews that are due within two weeks or overdue, the oldest first."""
    soon = localdate() + REMIND_BEFORE
    due = ModelVersion.objects.in_force().filter(review_due_on__lte=soon)
    return [
        DueReview(version, version.review_due_on)
        for version in due.order_by("review_due_on")
        if version.review_due_on
    ]


@dataclass(frozen=True)
class Break:
    """From `at` on scores follow another version: figures before and after differ by that too."""

    at: datetime
    version: ModelVersion
    is_for_new_leads: bool


def breaks(since: datetime | None = None, until: datetime | None = None) -> list[Break]:
    """When versions came into force, oldest first; the very first is no break."""
    came = Publication.objects.exclude(activated_at=None).select_related("version__model")
    if since:
        came = came.filter(activated_at__gte=since)
    if until:
        came = came.filter(activated_at__lt=until)
    return [
        Break(p.activated_at, p.version, p.scope == Publication.Scope.NEW)
        for p in came.order_by("activated_at")
        if p.activated_at
    ]
