"""What a training does: read its data as they were, learn, and write the result down."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import batched

from django.db import connection, transaction
from django.utils.translation import gettext as _

from leads.refusals import Refused
from scoring import governing
from scoring.ledger import Ledger, facts_of_many
from scoring.models import Training
from scoring.prediction import files, instants, snapshots, training
from scoring.prediction.choices import FileChoices
from scoring.prediction.instants import Ripe
from scoring.prediction.learning import HOLD_OUT, ON, Learned, Progress, learn
from scoring.prediction.tables import Cell, Table

RULE_SCORE = "rule_score"
# Of each read from the database; a page may take less.
STATEMENT_TIMEOUT = "300s"
# The rule score is computed lead by lead: so many of the newest are compared.
MOST_COMPARED = 5_000


def give(job: Training, progress: Progress) -> None:
    """Do this training to its end."""
    if job.source == Training.Source.LEADS:
        learned, extra = _on_leads(job, progress)
    else:
        learned, extra = _on_file(job, progress)
    is_used = learned.verdict == ON and learned.predictor is not None
    model = learned.predictor.as_json() if is_used and learned.predictor else {}
    report = {**learned.report, **extra}
    training.finish(job, verdict=learned.verdict, report=report, model=model)


def _on_leads(job: Training, progress: Progress) -> tuple[Learned, dict]:
    horizon = timedelta(days=job.horizon_days)
    progress(0.0, "reading")
    with transaction.atomic():
        allow_time()
        ripe = instants.ripe_leads(job.outcome, horizon, job.as_of)
        looked_at = instants.instants_of(ripe)
        spec = snapshots.spec_for(looked_at) if ripe else snapshots.Spec((), ())
    table = _table(ripe, spec, horizon)
    progress(0.2, "reading")
    scores, versions = rule_scores(ripe)
    rivals = (RULE_SCORE,) if versions else ()
    if versions:
        table = table.having(RULE_SCORE, scores)
    learned = learn(
        table, rivals=rivals, progress=lambda done, step: progress(0.25 + 0.75 * done, step)
    )
    window = [one.instant.isoformat() for one in (ripe[0], ripe[-1])] if ripe else []
    return learned, {
        "spec": spec.as_json(),
        "window": window,
        "rules_versions": versions,
    }


def _table(ripe: Sequence[Ripe], spec: snapshots.Spec, horizon: timedelta) -> Table:
    """The features of these leads at their instants, a statement for each part."""
    columns: dict[str, list[Cell]] = {name: [] for name in spec.names}
    for some in batched(ripe, snapshots.BATCH):
        for name, cells in snapshots.read(instants.instants_of(some), spec).items():
            columns[name] += cells
    return Table(
        columns=columns,
        labels=[one.label for one in ripe],
        order=[one.instant.timestamp() for one in ripe],
        known_at=[(one.instant + horizon).timestamp() for one in ripe],
    )


def rule_scores(ripe: Sequence[Ripe]) -> tuple[list[Cell], list[int]]:
    """The score by rules of each lead at its instant, and the numbers of the versions that gave it.

    By the version that scores the lead today; None where there is none, and for older leads:
    only what may be held out is computed.
    """
    newest = min(len(ripe), MOST_COMPARED, int(len(ripe) * HOLD_OUT) + 100)
    found: list[Cell] = [None] * (len(ripe) - newest)
    ledgers: dict[int, Ledger] = {}
    for some in batched(ripe[len(ripe) - newest :], 500):
        lead_ids = [one.lead_id for one in some]
        versions = governing.versions_for(lead_ids)
        for used in {version.pk: version for version in versions.values()}.values():
            ledgers.setdefault(used.pk, Ledger(used))
        facts = facts_of_many(lead_ids, max(one.instant for one in some))
        for one in some:
            version = versions.get(one.lead_id)
            if version is None:
                found.append(None)
            else:
                judged = ledgers[version.pk].at(facts[one.lead_id], one.instant)
                found.append(float(judged.score))
    return found, sorted(ledger.version.number for ledger in ledgers.values())


def _on_file(job: Training, progress: Progress) -> tuple[Learned, dict]:
    progress(0.0, "reading")
    if job.file is None:
        raise Refused(_("The file itself is no longer kept. Upload it again."))
    found = files.read(job.file, FileChoices.from_json(job.params))
    progress(0.2, "reading")
    learned = learn(found.table, progress=lambda done, step: progress(0.2 + 0.8 * done, step))
    return learned, {"undecided": found.undecided, "unordered": found.unordered}


def allow_time() -> None:
    """Until the end of this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{STATEMENT_TIMEOUT}'")
