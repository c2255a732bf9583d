"""The score of a lead for other programs: GET /api/v1/leads/{public_id}/score. See docs/api.md.

Who asks is known by a secret key with the scope "scores", which sees every lead, or by a
session, which sees what its person may see. Every refusal is a sentence in JSON.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from ninja import Field, NinjaAPI, Schema
from ninja.errors import HttpError, ValidationError
from ninja.security import HttpBearer, SessionAuth

from leads.models import Lead, LeadQuerySet
from leads.refusals import Refused
from leads.survivors import survivor_of
from scoring.explanations import Basis, NotKnownThen, basis
from scoring.instants import read_asked
from scoring.ledger import Line
from scoring.wording import describe_adjustment
from tracking.keys import use_key
from tracking.models import Scope
from users.models import User

_POINTS = "a decimal number with two places, as text"


@dataclass(frozen=True)
class Reader:
    """Who asks, by what they may see. Not the query itself: to ask whether it is true, as
    authentication does, would read every lead."""

    leads: LeadQuerySet


class ScoreKey(HttpBearer):
    """A secret key of a source that may read scores: it sees every lead."""

    def authenticate(self, request: HttpRequest, token: str) -> Reader | None:
        key = use_key(token.strip())
        if key is None:
            return None
        if not key.is_secret or Scope.SCORES not in key.scopes:
            raise HttpError(403, _("This key may not read scores. Give it that scope, or another."))
        return Reader(Lead.objects.all())


class SignedIn(SessionAuth):
    """A person's session: they see the leads that they see on the pages."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Reader | None:
        user = request.user
        if not isinstance(user, User):
            return None
        if not user.role:
            raise HttpError(403, _("Your role does not open this page."))
        return Reader(Lead.objects.visible_to(user))


class ScoredBy(Schema):
    """The version of the scoring model."""

    number: int
    name: str


class ScoreLine(Schema):
    """A line of the ledger. The values of all lines add up to the score."""

    kind: Literal["event", "field", "group_cap", "floor", "ceiling"]
    axis: Literal["fit", "interest"]
    group: str = Field(description="Rules of one group share a cap. Empty: none.")
    rule: str | None = Field(description="The signal's key; null for caps, floors and ceilings.")
    words: str
    points: str | None = Field(description=f"Of the rule, before decay: {_POINTS}.")
    occurred_at: datetime | None = Field(description="Of the event, or since when a field holds.")
    event_id: int | None
    left: float = Field(description="What decay left, 0 to 1.")
    value: str = Field(description=f"What the line adds: {_POINTS}.")


class Score(Schema):
    """A lead's score at an instant."""

    lead: uuid.UUID = Field(description="Who the asked lead is today; differs after a merge.")
    as_of: datetime
    known_since: datetime = Field(description="Before this instant nobody knew the lead.")
    reason: Literal["not_known_then"] | None = Field(
        description="Why there is no score; null where there is one."
    )
    score: str | None = Field(
        description=f"Fit and interest together: {_POINTS}. Null: unknown, which is not 0.",
        examples=["74.00"],
    )
    fit: str | None
    interest: str | None
    quadrant: Literal["both", "fit", "interest", "neither"] | None
    is_promising: bool | None
    blocked_by: list[str]
    threshold: str | None
    fit_cut: str | None
    interest_cut: str | None
    model: ScoredBy | None
    in_force_then: bool | None = Field(
        description="Whether this version scored the lead at that instant, or tells it now."
    )
    lines: list[ScoreLine]


class Problem(Schema):
    error: str = Field(description="What is wrong, and what to do: a sentence.")


api = NinjaAPI(
    title="Funnel",
    version="1",
    description="Scores of leads, to read. Points are decimal numbers as text, so sums are exact.",
    urls_namespace="api",
    docs_url=None,  # its page would need scripts from elsewhere; docs/api.md has it in words
    auth=[ScoreKey(), SignedIn()],
)


def _refuse(request: HttpRequest, status: int, sentence: str) -> HttpResponse:
    response = api.create_response(request, {"error": sentence}, status=status)
    if status == 401:
        response["WWW-Authenticate"] = "Bearer"
    return response


@api.exception_handler(HttpError)
def _on_http_error(request: HttpRequest, error: Any) -> HttpResponse:
    sentence = _("Sign in, or send a secret key as “Authorization: Bearer sk_…”.")
    return _refuse(request, error.status_code, sentence if error.status_code == 401 else str(error))


@api.exception_handler(Http404)
def _on_not_found(request: HttpRequest, error: Any) -> HttpResponse:
    return _refuse(request, 404, _("There is no such lead that you can see."))


@api.exception_handler(ValidationError)
def _on_invalid(request: HttpRequest, error: Any) -> HttpResponse:
    places = ", ".join(str(found["loc"][-1]) for found in error.errors)
    return _refuse(request, 422, _("This is not understood: %(names)s.") % {"names": places})


@api.get(
    "/leads/{public_id}/score",
    url_name="lead_score",
    summary="Why a lead has its score, now or at a past instant",
    response={
        200: Score,
        401: Problem,
        403: Problem,
        404: Problem,
        422: Problem,
    },
)
def lead_score(
    request: HttpRequest, public_id: str, as_of: str = "", rules: str = ""
) -> dict[str, Any]:
    """`as_of`: a day (its end) or an instant, ISO 8601; without it the current score.

    `rules`: “then” (or nothing) for the version that was in force at that instant, “today” for
    the one that scores the lead now. A merged lead is answered with the one it was merged into.
    """
    reader: Reader = request.auth  # type: ignore[attr-defined]
    lead = _find(reader.leads, public_id)
    try:
        asked = read_asked(as_of, rules)
        books = basis(lead, asked.as_of, by_today=asked.by_today)
    except Refused as refusal:
        raise HttpError(422, str(refusal)) from refusal
    except NotKnownThen as unknown:
        return _no_score(lead, unknown)
    if books is None:
        raise HttpError(404, _("This lead has no score yet: no scoring model is in force."))
    return _score(lead, books)


def _find(leads: LeadQuerySet, public_id: str) -> Lead:
    """The lead that this id stands for today. Raises Http404."""
    try:
        wanted = uuid.UUID(public_id)
    except ValueError:
        raise Http404 from None
    asked = Lead.objects.filter(public_id=wanted).values_list("pk", flat=True).first()
    lead = leads.filter(pk=survivor_of(asked)).first() if asked else None
    if lead is None:
        raise Http404
    return lead


def _no_score(lead: Lead, unknown: NotKnownThen) -> dict[str, Any]:
    """All fields of Score for an instant at which nobody knew the lead."""
    return dict.fromkeys(Score.model_fields) | {
        "lead": lead.public_id,
        "as_of": unknown.as_of,
        "known_since": _rounded_up(unknown.known_since),
        "reason": "not_known_then",
        "blocked_by": [],
        "lines": [],
    }


def _rounded_up(at: datetime) -> datetime:
    """To the millisecond: JSON cuts the rest off, and a beginning must not be too early."""
    return at + timedelta(microseconds=-at.microsecond % 1000)


def _score(lead: Lead, books: Basis) -> dict[str, Any]:
    why, version = books.explanation, books.explanation.version
    return {
        "lead": lead.public_id,
        "as_of": why.as_of,
        "known_since": _rounded_up(books.known_since),
        "reason": None,
        "score": f"{why.score:.2f}",
        "fit": f"{why.fit:.2f}",
        "interest": f"{why.interest:.2f}",
        "quadrant": why.quadrant,
        "is_promising": why.is_promising,
        "blocked_by": [rule.signal.key for rule in why.blocking],
        "threshold": f"{version.threshold:.2f}",
        "fit_cut": f"{version.fit_cut:.2f}",
        "interest_cut": f"{version.interest_cut:.2f}",
        "model": {"number": version.number, "name": version.title},
        "in_force_then": books.was_in_force,
        "lines": [_line(line) for line in why.lines],
    }


def _line(line: Line) -> dict[str, Any]:
    rule = line.rule
    return {
        "kind": line.kind.value,
        "axis": str(line.axis),
        "group": line.group,
        "rule": rule.signal.key if rule else None,
        "words": rule.signal.words if rule else describe_adjustment(line),
        "points": f"{rule.points:.2f}" if rule else None,
        "occurred_at": line.occurred_at,
        "event_id": line.event_id,
        "left": line.factor,
        "value": f"{line.value:.2f}",
    }
