"""Comparing all leads with each other in one SQL statement.

Every lead gives some keys (mailbox, phone number, name and company, foreign ids); two leads
with a key in common are suggested. A key that many share, such as a switchboard's number,
says nothing. 100,000 leads take a few seconds.
"""

from __future__ import annotations

from django.db import connection

from leads.models import Duplicate

SHORTEST_PHONE = 7  # digits
SHORTEST_COMMON_ID = 12  # characters: shorter ids of different systems are alike by chance
MOST_IN_COMMON = 20  # leads
# Ids that one system gives, under two names: vouched for, and only claimed in public.
_USER_IDS = "('segment', 'segment_claimed')"
_REASON = Duplicate.Reason

# A mailbox however it is spelled: no +tag; to Google, dots mean nothing.
_MAILBOX = """
SELECT id AS lead_id, CASE WHEN domain IN ('gmail.com', 'googlemail.com')
            THEN replace(mailbox, '.', '') || '@gmail.com' ELSE mailbox || '@' || domain END AS key
  FROM (SELECT id, split_part(split_part(lower(email), '@', 1), '+', 1) AS mailbox,
               split_part(lower(email), '@', 2) AS domain
          FROM leads_lead WHERE email <> '' AND merged_into_id IS NULL) address
 WHERE mailbox <> ''
"""
_PHONE = f"""
SELECT id, ltrim(regexp_replace(phone, '\\D', '', 'g'), '0') FROM leads_lead
 WHERE merged_into_id IS NULL AND phone <> ''
   AND length(ltrim(regexp_replace(phone, '\\D', '', 'g'), '0')) >= {SHORTEST_PHONE}
"""  # noqa: S608 - constants
_NAME = """
SELECT l.id, lower(l.first_name || ' ' || l.last_name) || ' @ '
             || lower(coalesce(nullif(btrim(l.company), ''), a.name))
  FROM leads_lead l LEFT JOIN leads_account a ON a.id = l.account_id
 WHERE l.merged_into_id IS NULL AND l.first_name <> '' AND l.last_name <> ''
   AND (btrim(l.company) <> '' OR a.id IS NOT NULL)
"""
_EXTERNAL_ID = f"""
SELECT DISTINCT x.lead_id, x.value FROM leads_externalid x
  JOIN leads_externalid y ON y.value = x.value AND y.lead_id <> x.lead_id
  JOIN leads_lead l ON l.id = x.lead_id AND l.merged_into_id IS NULL
 WHERE length(x.value) >= {SHORTEST_COMMON_ID}
    OR (x.system IN {_USER_IDS} AND y.system IN {_USER_IDS})
"""  # noqa: S608 - constants
_KEYS = {
    _REASON.MAILBOX: _MAILBOX,
    _REASON.EXTERNAL_ID: _EXTERNAL_ID,
    _REASON.PHONE: _PHONE,
    _REASON.NAME: _NAME,
}
_ALL_KEYS = " UNION ALL ".join(
    f"SELECT '{reason.value}' AS reason, k.* FROM ({keys}) AS k(lead_id, key)"  # noqa: S608
    for reason, keys in _KEYS.items()
)
# Each group is tied together at its oldest lead: as many pairs as there are others.
_FOUND = f"""
WITH keyed AS MATERIALIZED ({_ALL_KEYS}), grouped AS (
  SELECT reason, lead_id, min(lead_id) OVER same AS first_id, count(*) OVER same AS shared_by
    FROM keyed WINDOW same AS (PARTITION BY reason, key))
SELECT first_id, lead_id AS second_id, array_agg(DISTINCT reason ORDER BY reason) AS reasons
  FROM grouped WHERE shared_by BETWEEN 2 AND {MOST_IN_COMMON} AND lead_id > first_id
 GROUP BY 1, 2
"""  # noqa: S608 - constants
_SAVE = f"""
WITH found AS MATERIALIZED ({_FOUND}), gone AS (
  DELETE FROM leads_duplicate d WHERE dismissed_at IS NULL AND NOT EXISTS (
    SELECT FROM found f WHERE (f.first_id, f.second_id) = (d.first_id, d.second_id)))
INSERT INTO leads_duplicate AS mine (first_id, second_id, reasons)
SELECT first_id, second_id, reasons FROM found ORDER BY 1, 2
ON CONFLICT (first_id, second_id) DO UPDATE SET reasons = excluded.reasons
 WHERE mine.reasons IS DISTINCT FROM excluded.reasons
"""  # noqa: S608 - constants


def search() -> int:
    """Bring the suggestions up to date; returns how many are new or told otherwise."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0; SET LOCAL work_mem = '64MB'")
        cursor.execute(_SAVE)
        return cursor.rowcount
