"""A lead's story as rows of the system of record."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

from funnel_app.demo.copying import Copier, Numbers, Table
from funnel_app.demo.gauge import Gauge
from funnel_app.demo.prospects import Company, Person
from funnel_app.demo.staff import Staff
from funnel_app.demo.story import LeadStory
from funnel_app.demo.walk import Journey, Step
from leads.models import Consent
from leads.stages import Stage
from users.models import User

ACCOUNT = Table(
    "leads_account",
    ("id", "name", "domain", "industry", "country", "employee_count", "revenue_amount",
     "revenue_currency", "custom", "created_at"),
)  # fmt: skip
LEAD = Table(
    "leads_lead",
    ("id", "public_id", "email", "is_email_verified", "first_name", "last_name", "title", "phone",
     "company", "account_id", "country", "persona", "channel", "source", "medium", "campaign",
     "owner_id", "team_id", "custom", "created_at", "not_before_on", "stage", "stage_entered_at",
     "cycle", "episode_seq"),
)  # fmt: skip
EPISODE = Table(
    "leads_stageepisode",
    ("id", "lead_id", "seq", "previous_seq", "from_stage", "stage", "entry_kind", "starts_cycle",
     "cycle", "entered_at", "exit_kind", "is_pass_through", "is_date_unknown", "actor_kind",
     "actor_id", "actor_label", "reason", "is_override", "criteria", "model_version",
     "recorded_at"),
)  # fmt: skip
CONSENT = Table(
    "leads_consent",
    ("lead_id", "purpose", "is_granted", "given_at", "evidence", "cause", "recorded_at"),
)
BUYING_ROLE = Table("leads_buyingrole", ("lead_id", "kind", "recorded_by_id", "recorded_at"))
STANDING = Table(
    "leads_standing",
    ("lead_id", "score", "fit", "interest", "quadrant", "is_promising"),
)
LAST_ACTIVITY = Table("leads_lastactivity", ("lead_id", "at"))
TABLES = (ACCOUNT, LEAD, EPISODE, CONSENT, BUYING_ROLE, STANDING, LAST_ACTIVITY)

# How much the system of record knows about a consent: where it was given.
_EVIDENCE = {
    "form": "Ticked the box of the form",
    "list": "Ticked the box of the form after an invitation",
    "word": "Ticked the box of the form after an introduction",
}


class LeadRows:
    """Writes accounts, leads and their episodes; knows which id everything got."""

    def __init__(self, copier: Copier, staff: Staff, gauge: Gauge) -> None:
        self.copier, self.staff, self.gauge = copier, staff, gauge
        self.accounts, self.leads = Numbers(ACCOUNT.name), Numbers(LEAD.name)
        self.episodes = Numbers(EPISODE.name)

    def keep_numbers(self) -> None:
        for numbers in (self.accounts, self.leads, self.episodes):
            numbers.keep()

    def add_account(self, company: Company, created_at: datetime) -> int:
        account_id = self.accounts.take()
        described = company.is_described
        self.copier.add(
            ACCOUNT,
            (
                account_id,
                company.name,
                company.domain,
                company.industry.name if described else "",
                company.country.code,
                company.employees if described else None,
                company.revenue if described else None,
                company.country.currency if described else "",
                "{}",
                created_at,
            ),
        )
        return account_id

    def add_lead(
        self,
        story: LeadStory,
        account_id: int | None,
        owner: User | None,
        team_id: int | None,
        last_activity_at: datetime | None,
    ) -> tuple[int, dict[datetime, int]]:
        """Returns (lead id, {when it became an MQL: episode id})."""
        person, journey = story.person, story.journey
        lead_id = self.leads.take()
        self.copier.add(LEAD, _lead(lead_id, person, journey, account_id, owner, team_id))
        mql_episodes = {}
        for seq, step in enumerate(journey.steps, start=1):
            episode_id = self.episodes.take()
            self.copier.add(EPISODE, self._episode(episode_id, lead_id, seq, step, story, owner))
            if step.move.to_stage == Stage.MQL:
                mql_episodes[step.at] = episode_id
        self.copier.add(CONSENT, *_consents(lead_id, story))
        self.copier.add(BUYING_ROLE, *_buying_roles(lead_id, person, journey, owner))
        self.copier.add(STANDING, (lead_id, 0, 0, 0, "neither", False))
        self.copier.add(LAST_ACTIVITY, (lead_id, last_activity_at))
        return lead_id, mql_episodes

    def _episode(
        self,
        episode_id: int,
        lead_id: int,
        seq: int,
        step: Step,
        story: LeadStory,
        owner: User | None,
    ) -> tuple:
        kind, actor, label = self._actor(step, story.person, owner)
        return (
            episode_id,
            lead_id,
            seq,
            seq - 1 or None,
            step.move.from_stage,
            step.move.to_stage,
            step.move.kind,
            step.move.starts_cycle,
            step.cycle,
            step.at,
            "",
            step.is_pass_through,
            False,
            kind,
            actor,
            label,
            step.reason,
            step.is_override,
            _criteria(step, story),
            self.gauge.number,
            step.at,
        )

    def _actor(self, step: Step, person: Person, owner: User | None) -> tuple[str, int | None, str]:
        """As the product would have written it: (kind, user id, label)."""
        if step.by == "rep" and owner is not None:
            return "user", owner.pk, str(owner)
        if step.by in ("rep", "marketer"):
            return "user", self.staff.marketer.pk, str(self.staff.marketer)
        if step.move.to_stage == Stage.MQL:
            return "rule", None, f"Scoring model v{self.gauge.number}"
        if step.by == "rule":
            return "rule", None, "Criteria met"
        return (
            "system",
            None,
            {"list": "List", "word": "Referral"}.get(person.origin.starts, "Form"),
        )


def _lead(
    lead_id: int,
    person: Person,
    journey: Journey,
    account_id: int | None,
    owner: User | None,
    team_id: int | None,
) -> tuple:
    origin, newest = person.origin, journey.steps[-1]
    return (
        lead_id,
        person.public_id,
        person.email,
        journey.consent_at is not None,
        person.first_name,
        person.last_name,
        person.job.title,
        person.phone,
        person.company.name if person.company else "",
        account_id,
        person.country.code,
        person.job.persona,
        origin.channel,
        origin.source,
        origin.medium,
        origin.campaign,
        owner.pk if owner else None,
        team_id,
        "{}",
        person.known_at,
        journey.not_before_on,
        newest.move.to_stage,
        newest.at,
        newest.cycle,
        len(journey.steps),
    )


def _criteria(step: Step, story: LeadStory) -> str:
    """The snapshot of what was met when the lead moved on."""
    if step.by != "rule":
        return "[]"
    if step.move.to_stage == Stage.QUALIFIED:
        facts = [
            ("has_valid_email", "Valid e-mail", f"The e-mail address is {story.person.email}."),
            ("has_consent", "Recorded consent", f"Consent was given on {step.at:%Y-%m-%d}."),
        ]
    else:
        score = _score_at(step, story)
        facts = [
            ("score_reaches_threshold", "Score reaches the threshold", f"Score {score} reached."),
            ("fit_and_interest", "Both fit and interest are high", "Both are high."),
            ("nothing_blocks", "Nothing blocks", "Nothing blocks this lead."),
        ]
    return json.dumps(
        [{"kind": k, "label": label, "is_met": True, "sentence": text} for k, label, text in facts]
    )


def _score_at(step: Step, story: LeadStory) -> str:
    found = (p for p in story.journey.proposals if p.submitted_at == step.at)
    return next((f"{p.fit + p.interest:.2f}" for p in found), "")


def _consents(lead_id: int, story: LeadStory) -> Iterator[tuple]:
    at = story.journey.consent_at
    if at is None:
        return
    evidence = _EVIDENCE[story.person.origin.starts]
    for purpose in Consent.Purpose.values:
        if purpose == Consent.Purpose.MAIL or lead_id % 10 < 7:
            yield (lead_id, purpose, True, at, evidence, "demo-form", at)
    left = [h for h in story.happenings if h.kind in ("email_unsubscribed", "email_marked_as_spam")]
    if left:
        said = "Unsubscribed by the link in a mail"
        yield (lead_id, Consent.Purpose.MAIL, False, left[0].at, said, "demo-left", left[0].at)


def _buying_roles(
    lead_id: int, person: Person, journey: Journey, owner: User | None
) -> Iterator[tuple]:
    """Sales writes down the part a person plays; a deal needs somebody who decides."""
    with_sales = [step.at for step in journey.steps if step.move.to_stage == Stage.SAL]
    if not with_sales:
        return
    parts = {person.job.part} - {""}
    if journey.deals:
        parts.add("decision_maker")
    for part in sorted(parts):
        yield (lead_id, part, owner.pk if owner else None, with_sales[0])
