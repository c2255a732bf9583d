"""Leads with believable stage histories, copied straight into a scratch database."""

from __future__ import annotations

import math
import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from django.db import connection, transaction

from users.models import Team, User

DAYS = 545
# Stage: (next stage, its probability, median days until then).
STEPS = {
    "lead": ("qualified", 0.42, 2.5),
    "qualified": ("mql", 0.38, 22),
    "mql": ("sal", 0.62, 3),
    "sal": ("sql", 0.55, 12),
    "sql": ("customer", 0.3, 35),
}
WAYS_OUT = {
    "lead": (("disqualified", 0.05),),
    "qualified": (("disqualified", 0.1),),
    "mql": (("recycled", 0.25), ("disqualified", 0.08)),
    "sal": (("recycled", 0.12), ("disqualified", 0.08), ("lost", 0.1)),
    "sql": (("lost", 0.5), ("recycled", 0.08)),
    "customer": (("churned", 0.08),),
}
DAYS_TO_LEAVE = {"customer": 200}
CHANNELS = {
    "organic_search": 28,
    "paid_search": 16,
    "email": 12,
    "direct": 11,
    "paid_social": 10,
    "organic_social": 9,
    "web_referral": 6,
    "event": 5,
    "review_site": 3,
}
SOURCES = (
    "google",
    "bing",
    "linkedin",
    "newsletter",
    "",
    "g2",
    "capterra",
    "trade-fair",
    "partner",
)
COUNTRIES = ("DE", "US", "GB", "FR", "KR", "NL", "AT", "CH", "PL", "SE", "ES", "IT")
LEAD_COLUMNS = (
    "id, public_id, email, is_email_verified, first_name, last_name, title, phone, company,"
    " country, persona, channel, source, medium, campaign, owner_id, team_id, custom, created_at,"
    " stage, stage_entered_at, cycle, episode_seq"
)
EPISODE_COLUMNS = (
    "lead_id, seq, previous_seq, from_stage, stage, entry_kind, starts_cycle, cycle, entered_at,"
    " left_at, exit_kind, is_pass_through, is_date_unknown, actor_kind, actor_label, reason,"
    " is_override, criteria, recorded_at"
)


class Episode(NamedTuple):
    from_stage: str
    stage: str
    kind: str
    starts_cycle: bool
    cycle: int
    entered_at: datetime


def build(lead_count: int, seed: int = 7) -> int:
    """Fill an empty database; returns the number of episodes. Triggers are switched off."""
    chance = random.Random(seed)
    owners = _reps()
    now = datetime.now(UTC)
    stories = [list(_story(chance, now)) for _ in range(lead_count)]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        with cursor.copy(f"COPY leads_lead ({LEAD_COLUMNS}) FROM STDIN") as copy:
            for number, story in enumerate(stories, start=1):
                copy.write_row(_lead(number, story, chance, owners))
        with cursor.copy(f"COPY leads_stageepisode ({EPISODE_COLUMNS}) FROM STDIN") as copy:
            for number, story in enumerate(stories, start=1):
                for row in _rows(number, story):
                    copy.write_row(row)
        cursor.execute(
            "INSERT INTO leads_standing (lead_id, score, fit, interest, quadrant, is_promising)"
            " SELECT id, 0, 0, 0, 'neither', false FROM leads_lead"
        )
        cursor.execute("INSERT INTO leads_lastactivity (lead_id) SELECT id FROM leads_lead")
        cursor.execute("SELECT setval('leads_lead_id_seq', %s)", [lead_count])
    return sum(map(len, stories))


def _reps() -> list[User]:
    teams = [Team.objects.create(name=name) for name in ("North", "South")]
    return [
        User.objects.create_user(f"rep{n}@example.com", role="rep", team=teams[n % 2])
        for n in range(12)
    ]


def _story(chance: random.Random, now: datetime) -> Iterator[Episode]:
    # More leads of late than long ago: the company grows.
    at = now - timedelta(days=DAYS * (1 - chance.random() ** 0.8))
    episode = Episode("", "lead", "captured", False, 1, at)
    while True:
        yield episode
        kind, stage, days = _next(chance, episode.stage)
        if not stage or episode.cycle > 5:
            return
        at += timedelta(days=chance.lognormvariate(math.log(days), 0.9))
        if at > now:
            return
        starts = kind == "recycled"
        episode = Episode(episode.stage, stage, kind, starts, episode.cycle + starts, at)


def _next(chance: random.Random, stage: str) -> tuple[str, str, float]:
    """(kind, stage, median days); no stage: the lead stays where it is."""
    draw = chance.random()
    if stage in STEPS:
        following, probability, days = STEPS[stage]
        if draw < probability:
            return "advanced", following, days
        draw -= probability
    for kind, probability in WAYS_OUT.get(stage, ()):
        if draw < probability:
            target = "qualified" if kind == "recycled" else kind
            return kind, target, DAYS_TO_LEAVE.get(stage, 20)
        draw -= probability
    return "", "", 0


def _lead(number: int, story: list[Episode], chance: random.Random, owners: list[User]) -> tuple:
    last = story[-1]
    owner = chance.choice(owners) if any(episode.stage == "mql" for episode in story) else None
    return (
        *(number, str(uuid.uuid4()), f"p{number}@c{number % 9000}.example", False),
        *(f"Ann{number % 97}", f"Kim{number % 1013}", "Head of IT", "", f"Company {number % 9000}"),
        *(chance.choice(COUNTRIES), "", chance.choices(list(CHANNELS), list(CHANNELS.values()))[0]),
        *(chance.choice(SOURCES), "", "", owner.pk if owner else None),
        *(owner.team_id if owner else None, "{}", story[0].entered_at, last.stage),
        *(last.entered_at, last.cycle, len(story)),
    )


def _rows(number: int, story: list[Episode]) -> Iterator[tuple]:
    criteria = '[{"kind": "score_reaches_threshold", "is_met": true, "sentence": "Score 63."}]'
    for seq, (episode, after) in enumerate(zip(story, [*story[1:], None], strict=True), start=1):
        yield (
            *(number, seq, seq - 1 or None, *episode),
            *(after and after.entered_at, after.kind if after else "", False, False),
            *("rule", "Automation", "", False, criteria, episode.entered_at),
        )
