"""Leads and what they did, told in a few words."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import count

from django.db import connection
from django.utils.timezone import now

from leads import lifecycle
from leads.actors import Actor
from leads.capture import capture_lead
from leads.models import Account, Lead, Standing
from scoring import drafting, publishing, rescore, signing
from scoring.models import ModelVersion, Publication, Signature
from tests.factories import UserFactory
from tracking.models import Event, Source
from users.roles import Role

SYSTEM = Actor.system("test")
_numbers = count(1)


def some_lead(email: str = "", **profile: str) -> Lead:
    """A lead at the first stage; a new e-mail address each time unless one is given."""
    lead, _was_new = capture_lead(
        by=SYSTEM,
        email=email or f"person{next(_numbers)}@acme.example",
        profile=profile,
        first_seen_at=now() - timedelta(days=400),
    )
    return lead


def qualified_lead(**profile: str) -> Lead:
    lead = some_lead(**profile)
    lifecycle.record_imported_step(lead.pk, "qualified", by=SYSTEM, at=now() - timedelta(days=300))
    lead.refresh_from_db()
    return lead


def good_fit_lead(**profile: str) -> Lead:
    """Title 20 + size 15 + industry 10 + market 5 + company address 5, at most 50: fit 50."""
    lead = qualified_lead(title="CEO", country="DE", **profile)
    lead.account = Account.objects.create(
        name="Acme", industry="Automotive", employee_count=900, country="DE"
    )
    lead.save(update_fields=["account"])
    return lead


def website() -> Source:
    return Source.objects.get_or_create(name="Website")[0]


def tell_events(lead: Lead | None, *stories: str, **fields) -> list[Event]:
    """Store events: "pricing_page_viewed 3d ago", "page_viewed 2h ago /jobs"."""
    source = website()
    events = []
    for story in stories:
        kind, age, _ago, *rest = story.split()
        events.append(
            Event(
                source=source,
                message_id=f"m{next(_numbers)}",
                kind=kind,
                occurred_at=now() - _age(age),
                lead=lead,
                path=rest[0] if rest else "",
                **fields,
            )
        )
    return Event.objects.bulk_create(events)


def _age(text: str) -> timedelta:
    unit = {"d": "days", "h": "hours", "m": "minutes"}[text[-1]]
    return timedelta(**{unit: float(text[:-1])})


def sign(version: ModelVersion) -> ModelVersion:
    """Have marketing and sales sign a draft, as the product does it."""
    if version.state == ModelVersion.State.DRAFT:
        signing.submit(version.pk, by=SYSTEM)
    for role in (Role.MARKETER, Role.MANAGER):
        signer = UserFactory(role=role)
        signing.sign(version.pk, by=Actor.of(signer))
    version.refresh_from_db()
    return version


def put_in_force(version: ModelVersion) -> ModelVersion:
    """Sign a draft, publish it, and do all the work that this asks for."""
    publishing.publish(sign(version).pk, by=SYSTEM)
    while publishing.drain():
        pass
    version.refresh_from_db()
    return version


def publish(**points: int) -> ModelVersion:
    """A next version with other points, signed, published and worked off: `publish(demo=30)`."""
    draft = drafting.clone_to_draft(ModelVersion.objects.active().pk, by=SYSTEM)
    for key, value in points.items():
        draft.rules.filter(signal__key=key).update(points=value)
    put_in_force(draft)
    return draft


def enforce(version: ModelVersion) -> None:
    """Past the process, which would refuse what is drawn here; PostgreSQL wants two signatures."""
    rows = ModelVersion.objects.filter(pk=version.pk)
    rows.update(state="in_review")
    for side in ("marketing", "sales"):
        Signature.objects.create(version=version, side=side, signed_by=UserFactory())
    rows.update(state="signed")
    rows.update(state="active")


def settle() -> None:
    """Do all scoring work that waits."""
    while rescore.drain():
        pass


def activated(at: datetime | None) -> None:
    """As if all publications had come into force then; PostgreSQL would refuse to say so."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        Publication.objects.update(activated_at=at)
        cursor.execute("SET LOCAL session_replication_role = origin")


def standing_of(lead: Lead) -> Standing:
    return Standing.objects.get(lead=lead)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text + "+00:00")
