"""Which fit signals hold for which leads, since when and until when."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from scoring import conditions, dictionaries, reading_words
from scoring.choosing import Which
from scoring.conditions import Parameters
from scoring.models import Signal

LEAD_TABLES = """FROM leads_lead l
          LEFT JOIN leads_account a ON a.id = l.account_id
          LEFT JOIN scoring_maildomain m ON m.domain = split_part(lower(l.email), '@', 2)
          LEFT JOIN scoring_sharedmailbox b
            ON b.word = split_part(split_part(lower(l.email), '@', 1), '+', 1)"""


def match_fields(which: Which, signals: Sequence[Signal]) -> None:
    """Make the open matches of these fit signals be exactly what the leads' fields say."""
    if not signals:
        return
    parameters = Parameters(**which.values, signal_ids=[s.pk for s in signals])
    met = met_fields_query(which, signals, parameters)
    # Set operations, for they hash or sort however wrong the planner's guess is.
    # A signal that is looked at for the first time has held from the lead's
    # beginning, as far as anybody knows; later on, from the moment we see it.
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH met AS MATERIALIZED ({met}), existing AS MATERIALIZED (
                SELECT lead_id, signal_id FROM scoring_fieldmatch
                 WHERE lead_id {which.sql} AND signal_id = ANY(%(signal_ids)s)
                   AND until IS NULL
            ), surplus AS MATERIALIZED (
                SELECT lead_id, signal_id FROM existing EXCEPT SELECT lead_id, signal_id FROM met
            ), ended AS (
                UPDATE scoring_fieldmatch m SET until = greatest(m.since, clock_timestamp())
                  FROM surplus WHERE m.until IS NULL AND m.lead_id = surplus.lead_id
                   AND m.signal_id = surplus.signal_id AND m.lead_id {which.sql}
            ), fresh AS MATERIALIZED (
                SELECT lead_id, signal_id FROM met EXCEPT SELECT lead_id, signal_id FROM existing
            )
            INSERT INTO scoring_fieldmatch (lead_id, signal_id, since)
            SELECT fresh.lead_id, fresh.signal_id,
                   CASE WHEN f.sums[s.ordinal] IS NOT NULL THEN clock_timestamp()
                        ELSE least(clock_timestamp(), l.created_at, first.entered_at) END
              FROM fresh JOIN scoring_signal s ON s.id = fresh.signal_id
              JOIN leads_lead l ON l.id = fresh.lead_id
              JOIN scoring_leadfeature f ON f.lead_id = fresh.lead_id
              LEFT JOIN leads_stageepisode first ON first.lead_id = l.id AND first.seq = 1
            """,
            parameters.values,
        )


def met_fields_query(which: Which, signals: Sequence[Signal], parameters: Parameters) -> str:
    """SQL for the fit signals that hold for these leads: (lead_id, signal_id).

    Reads what words mean at this moment: call it under the locks of the leads' features.
    """
    asked = {condition["field"] for signal in signals for condition in signal.conditions}
    words = dictionaries.read(asked)
    listed = ", ".join(
        f"({s.pk:d}, {conditions.as_sql(s.conditions, s.axis, parameters, words)})" for s in signals
    )
    return f"""
        SELECT l.id AS lead_id, s.signal_id
          {LEAD_TABLES}{reading_words.joins(asked, which.sql, words, parameters)}
         CROSS JOIN LATERAL (VALUES {listed}) AS s (signal_id, holds)
         WHERE l.id {which.sql} AND s.holds"""
