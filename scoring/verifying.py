"""Do the books balance? Each check names what does not; an empty list is the proof.

standing = features × weights (all leads, in SQL), features = events and fields (all
leads, in SQL), what SQL counts = what rules.py counts (a sample, in Python),
standing = sum of the ledger's lines (a sample, in Python).
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from leads.models import Lead, Standing
from scoring import folding
from scoring.choosing import Which, between
from scoring.conditions import Parameters
from scoring.discrepancies import SETTLED, Discrepancy, compare_in_slices, one_moment, rows
from scoring.governing import current_scores_query, reigns
from scoring.ledger import Ledger, facts_of_many
from scoring.models import Publication, Rewording, Signal
from scoring.rescore import LARGE_CHUNK, chunks_of_leads
from scoring.rule_verifying import hits_against_rules, matches_against_fields

SAMPLE = 500
TOLERANCE = 1e-6
STANDINGS = "leads_standing"


def verify(sample: int | None = SAMPLE) -> list[Discrepancy]:
    """All checks; `sample` leads for the slow ones (None: all leads)."""
    lead_ids = sample_of_leads(sample)
    return [
        *leads_without_features(),
        *standings_against_features(),
        *features_against_events(),
        *standings_against_ledger(lead_ids),
        *hits_against_rules(lead_ids),
        *matches_against_fields(lead_ids),
    ]


def sample_of_leads(size: int | None) -> list[int]:
    """Evenly spread over all settled leads, the newest among them."""
    with one_moment():
        settled = SETTLED.format(lead="l.id")
        ids = rows(f"SELECT l.id FROM leads_lead l WHERE {settled} ORDER BY 1 DESC")
    step = max(1, len(ids) // size) if size else 1
    return sorted(row[0] for row in ids[::step])[-size if size else 0 :]


def leads_without_features() -> list[Discrepancy]:
    """Every lead is folded, or waits to be."""
    with one_moment():
        found = rows(f"""
            SELECT l.id FROM leads_lead l
             WHERE NOT EXISTS (SELECT 1 FROM scoring_leadfeature f WHERE f.lead_id = l.id)
               AND {SETTLED.format(lead="l.id")} ORDER BY l.id""")
    return [Discrepancy("never folded", lead_id, "no features") for (lead_id,) in found]


def standings_against_features() -> list[Discrepancy]:
    """Every standing is, to the cent, what the features are worth at its own instant."""
    with one_moment(STANDINGS):
        query = _scores_as_stored()
        found = query and rows(f"""
            SELECT right_one.lead_id, round(s.score / 100.0, 2), round(right_one.score / 100.0, 2),
                   s.quadrant, right_one.quadrant, s.model_version
              FROM ({query}) right_one LEFT JOIN leads_standing s ON s.lead_id = right_one.lead_id
             WHERE (s.score, s.fit, s.interest, s.quadrant, s.is_promising, s.model_version)
                   IS DISTINCT FROM (right_one.score, right_one.fit, right_one.interest,
                       right_one.quadrant, right_one.is_promising, right_one.model_version)
             ORDER BY 1""")
    return [
        Discrepancy(
            "standing ≠ features",
            lead_id,
            f"stored {stored} ({place}, model {number}), right {right} ({right_place})",
        )
        for lead_id, stored, right, place, right_place, number in found or ()
    ]


def _scores_as_stored() -> str | None:
    """SQL for what the standings should say; None while all leads wait to be scored.

    Features that time alone turned are counted first, and their standings follow: within a day,
    or they are compared all the same.
    """
    half_published = Publication.objects.exclude(activated_at=None).filter(
        recomputed_at=None, attempts__lt=Publication.MOST_ATTEMPTS
    )
    # After a dictionary was edited all leads are matched first, then scored.
    if half_published.exists() or Rewording.objects.exists():
        return None
    scored_at = "(SELECT s.scored_at FROM leads_standing s WHERE s.lead_id = f.lead_id)"
    is_scored_since = f"""coalesce(
        f.folded_at <= {scored_at} OR f.folded_at < now() - interval '1 day', true)"""
    return current_scores_query(
        f"{SETTLED.format(lead='f.lead_id')} AND {is_scored_since}", as_of=scored_at
    )


def features_against_events() -> list[Discrepancy]:
    """Every feature is what counting all events and fields anew would give."""
    found = []
    for lead_ids in chunks_of_leads(Lead.objects.all(), "pk", LARGE_CHUNK):
        with one_moment():
            found += _compare_features(between(lead_ids[0], lead_ids[-1]))
    return found


def _compare_features(which: Which) -> list[Discrepancy]:
    parameters = Parameters(**which.values, as_of=folding.database_instant())
    weighed = folding.weighed_query(which, list(Signal.objects.all()), parameters)
    found = rows(
        f"""
        WITH fresh AS MATERIALIZED (
            SELECT w.lead_id, w.ordinal, sum(w.weight) AS right_sum
              FROM ({weighed}) w GROUP BY w.lead_id, w.ordinal)
        SELECT f.lead_id, s.key, f.sums[s.ordinal], fresh.right_sum
          FROM scoring_leadfeature f CROSS JOIN scoring_signal s
          LEFT JOIN fresh ON fresh.lead_id = f.lead_id AND fresh.ordinal = s.ordinal
         WHERE f.lead_id {which.sql} AND s.counted_at IS NOT NULL
           AND {SETTLED.format(lead="f.lead_id")}
           AND abs(coalesce(f.sums[s.ordinal], 0) - coalesce(fresh.right_sum, 0))
               > {TOLERANCE} * greatest(1, fresh.right_sum)
         ORDER BY 1, 2
        """,
        parameters.values,
    )
    return [
        Discrepancy("features ≠ events", lead_id, f"{key}: stored {stored}, right {right}")
        for lead_id, key, stored, right in found
    ]


def standings_against_ledger(lead_ids: Sequence[int]) -> list[Discrepancy]:
    """The lines of the ledger add up to the standing, to the cent."""
    return compare_in_slices(lead_ids, _compare_ledgers, STANDINGS)


def _compare_ledgers(lead_ids: Sequence[int]) -> list[Discrepancy]:
    ledgers = {reign.version.number: Ledger(reign.version) for reign in reigns()}
    facts = facts_of_many(lead_ids, folding.database_instant())
    standings = Standing.objects.filter(pk__in=lead_ids, model_version__in=ledgers)
    found = []
    for standing in standings.exclude(scored_at=None):
        assert standing.scored_at is not None and standing.model_version
        ledger = ledgers[standing.model_version]
        explanation = ledger.at(facts[standing.lead_id], standing.scored_at)
        total = sum((line.value for line in explanation.lines), Decimal(0))
        right = (explanation.fit, explanation.interest, total)
        if right != (standing.fit, standing.interest, standing.score):
            detail = f"stored {standing.score}, lines {total}"
            found.append(Discrepancy("standing ≠ ledger", standing.lead_id, detail))
    return found
