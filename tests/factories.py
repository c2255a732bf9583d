"""People, teams, companies and leads for tests, and what leads did.

Leads come through the capture door and events through the product's own way in, so a
test cannot make what the product could not.
"""

from __future__ import annotations

import re
import uuid
from datetime import timedelta
from typing import Any

import factory
from django.utils.timezone import now

from leads.actors import Actor
from leads.capture import PROFILE_FIELDS, capture_lead, qualify_when_ready, record_consent
from leads.models import Account, Lead
from scoring import rescore
from tracking import attaching
from tracking.ingest import Envelope, prepare
from tracking.models import Event, Source
from tracking.storing import store
from users.models import Team, User
from users.roles import Role

SYSTEM = Actor.system("test")
_STORY = re.compile(r"(?P<kind>\w+) (?P<number>\d+)(?P<unit>[mhd]) ago(?: (?P<path>/\S*))?")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class TeamFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Team

    name = factory.Sequence(lambda n: f"Team {n}")


class UserFactory(factory.django.DjangoModelFactory):
    """A sales rep in a team of their own, unless said otherwise. Cannot sign in."""

    class Meta:
        model = User

    first_name = factory.Faker("first_name")
    last_name = factory.Faker("last_name")
    email = factory.Sequence(lambda n: f"colleague{n}@example.com")
    role = Role.REP
    team = factory.SubFactory(TeamFactory)


class AccountFactory(factory.django.DjangoModelFactory):
    """A company that fits: target industry, core market, right size."""

    class Meta:
        model = Account

    name = factory.Sequence(lambda n: f"Acme {n}")
    domain = factory.Sequence(lambda n: f"acme{n}.example")
    industry = "Automotive"
    country = "DE"
    employee_count = 900


class LeadFactory(factory.Factory):
    """A lead who became known ten days ago: `LeadFactory(title="CEO", has_consent=True)`.

    With consent it is a Qualified lead. `account` and `owner` may be given.
    """

    class Meta:
        model = Lead

    email = factory.Sequence(lambda n: f"person{n}@acme.example")
    first_name = factory.Faker("first_name")
    last_name = factory.Faker("last_name")
    known_at = factory.LazyFunction(lambda: now() - timedelta(days=10))
    has_consent = False

    @classmethod
    def _create(cls, model_class: type[Lead], *args: Any, **fields: Any) -> Lead:
        email, known_at = fields.pop("email"), fields.pop("known_at")
        has_consent = fields.pop("has_consent")
        profile = {name: fields.pop(name) for name in PROFILE_FIELDS if name in fields}
        lead, _was_new = capture_lead(
            by=SYSTEM, email=email, profile=profile, first_seen_at=known_at
        )
        if fields:
            Lead.objects.filter(pk=lead.pk).update(**fields)
        if has_consent:
            record_consent(
                lead, purpose="mail", is_granted=True, at=known_at, evidence="form", cause="test"
            )
            qualify_when_ready(lead.pk, by=SYSTEM)
        lead.refresh_from_db()
        return lead


def tell_events(lead: Lead, *stories: str, **said: Any) -> list[Event]:
    """What the lead did: `tell_events(lead, "page_viewed 3d ago /pricing", "call_held 2h ago")`.

    A trusted server tells it; `said` are properties of every event. Attached and scored.
    """
    source, _was_new = Source.objects.get_or_create(
        name="Storyteller", defaults={"kind": Source.Kind.SERVER}
    )
    rows = [_row(source, lead, story, said) for story in stories]
    store(rows)
    settle()
    told = {row["message_id"]: place for place, row in enumerate(rows)}
    events = Event.objects.filter(source=source, message_id__in=told)
    return sorted(events, key=lambda event: told[event.message_id])


def _row(source: Source, lead: Lead, story: str, said: dict[str, Any]) -> dict:
    words = _STORY.fullmatch(story)
    assert words, f"“{story}” does not read like “page_viewed 3d ago /pricing”"
    ago = timedelta(**{_UNITS[words["unit"]]: int(words["number"])})
    message = {
        "type": "track",
        "event": words["kind"].replace("_", " ").title(),
        "messageId": str(uuid.uuid4()),
        "timestamp": (now() - ago).isoformat(),
        "properties": {"email": lead.email, **said},
        "context": {"page": {"path": words["path"] or ""}},
    }
    return prepare(message, Envelope(source.pk, is_trusted=True, received_at=now()))


def settle() -> None:
    """Work off what waits, as the relay does: events find their leads, leads their scores."""
    while attaching.drain():
        pass
    while rescore.drain():
        pass
