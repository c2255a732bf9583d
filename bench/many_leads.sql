-- Builds %(leads)s leads straight in SQL, for measuring lists. Always the same ones.
-- Stages thin out like a funnel; everything else is spread unevenly and independently.
SELECT setseed(0.42);

INSERT INTO leads_account (name, domain, industry, country, employee_count, revenue_currency, custom)
SELECT 'Company ' || n, 'company' || n || '.example',
       (ARRAY['Automotive','Food','Chemicals','Logistics'])[1 + (random() * 3)::int],
       (ARRAY['DE','US','KR','FR','GB','SE'])[1 + (random() * 5)::int], 10 + (random() * 5000)::int, 'EUR', '{}'
  FROM generate_series(1, greatest(1, %(leads)s / 8)) n;

-- `depth`: how many stages the lead has reached; `luck`: skewed towards 0.
CREATE TEMP TABLE drawn ON COMMIT DROP AS
SELECT n, 1 + (random() < 0.5)::int AS depth, random() AS luck, power(random(), 2.5) AS channel_luck,
       power(random(), 2) AS country_luck, random() AS owner_luck, random() AS age
  FROM generate_series(1, %(leads)s) n;
UPDATE drawn SET depth = CASE WHEN luck < 0.004 THEN 6 WHEN luck < 0.01 THEN 5 WHEN luck < 0.03 THEN 4 ELSE 3 END
 WHERE depth = 2 AND luck < 0.15;

INSERT INTO leads_lead (public_id, email, is_email_verified, first_name, last_name, title, phone, company,
    account_id, country, persona, channel, source, medium, campaign, owner_id, team_id, custom, created_at,
    stage, stage_entered_at, cycle, episode_seq)
SELECT gen_random_uuid(), 'person' || n || '@company' || company || '.example', true,
       (ARRAY['Anna','Ben','Chloé','Dae-jung','Erik','Fatima','Georg','Hana','Ines','Jun'])[1 + (random() * 9)::int],
       CASE WHEN luck > 0.97 THEN '' ELSE
         (ARRAY['Adams','Becker','Choi','Dubois','Evans','Fischer','Garcia','Han','Ito','Jansen','Kim','Lee','Müller'])[1 + (random() * 12)::int]
         || chr(97 + (random() * 25)::int) || chr(97 + (random() * 25)::int) END,
       (ARRAY['Head of Production','Plant Manager','Buyer','CTO','Engineer','Student'])[1 + (random() * 5)::int], '',
       'Company ' || company, first_account + company - 1,
       (ARRAY['DE','US','GB','FR','KR','SE','BR','JP','IT','PL'])[1 + (country_luck * 9)::int], '',
       (ARRAY['organic_search','paid_search','direct','email','web_referral','paid_social','event','review_site'])[1 + (channel_luck * 7)::int],
       (ARRAY['google','bing','newsletter','linkedin','partner','fair-2026','capterra'])[1 + (channel_luck * 6)::int], '', '',
       owner, CASE WHEN owner IS NOT NULL OR depth > 2 THEN owner_team END, '{}', born, 'lead', born, 1, 1
  FROM (SELECT d.*, 1 + (n * 7919) %% greatest(1, %(leads)s / 8) AS company,
               (SELECT min(id) FROM leads_account) AS first_account,
               now() - age * interval '540 days' AS born,
               CASE WHEN owner_luck < 0.25 THEN people.ids[1 + (owner_luck * 4 * (cardinality(people.ids) - 1))::int] END AS owner,
               people.teams[1 + (owner_luck * 4 * (cardinality(people.ids) - 1))::int %% cardinality(people.ids)] AS owner_team
          FROM drawn d, (SELECT array_agg(id ORDER BY id) AS ids, array_agg(team_id ORDER BY id) AS teams
                           FROM users_user WHERE role IN ('rep', 'manager')) people
         ORDER BY n) drawn_people;

-- The history is written closed at once, past the triggers that would close it row by row.
SET LOCAL session_replication_role = replica;

INSERT INTO leads_stageepisode (lead_id, seq, previous_seq, from_stage, stage, entry_kind, starts_cycle,
    cycle, entered_at, left_at, exit_kind, is_pass_through, is_date_unknown, actor_kind, actor_label,
    reason, is_override, criteria)
SELECT lead_id, seq, nullif(seq - 1, 0), before, stage, CASE WHEN seq = 1 THEN 'captured' ELSE 'advanced' END,
       false, 1, entered_at, lead(entered_at) OVER stays,
       CASE WHEN lead(seq) OVER stays IS NULL THEN '' ELSE 'advanced' END,
       false, false, 'system', 'bench', '', false, '[]'
  FROM (SELECT l.id AS lead_id, s.*, l.created_at + (s.seq - 1) * (now() - l.created_at) / 7 AS entered_at
          FROM (SELECT id, created_at, row_number() OVER (ORDER BY id) AS n FROM leads_lead) l
          JOIN drawn d USING (n)
          JOIN (VALUES (1, '', 'lead'), (2, 'lead', 'qualified'), (3, 'qualified', 'mql'),
                       (4, 'mql', 'sal'), (5, 'sal', 'sql'), (6, 'sql', 'customer'))
               s (seq, before, stage) ON s.seq <= d.depth) steps
WINDOW stays AS (PARTITION BY lead_id ORDER BY seq);

SET LOCAL session_replication_role = origin;

UPDATE leads_lead l SET stage = e.stage, stage_entered_at = e.entered_at, episode_seq = e.seq
  FROM leads_stageepisode e WHERE e.lead_id = l.id AND e.left_at IS NULL AND e.seq > 1;

INSERT INTO leads_standing (lead_id, score, fit, interest, quadrant, is_promising, model_version, scored_at)
SELECT id, score * 100, fit * 100, (score - fit) * 100,
       CASE WHEN fit > 30 AND score - fit > 20 THEN 'both' WHEN fit > 30 THEN 'fit'
            WHEN score - fit > 20 THEN 'interest' ELSE 'neither' END,
       fit > 30 AND score - fit > 20, 1, now()
  FROM (SELECT id, created_at, round((random() * 60)::numeric, 2) AS fit,
               round((power(random(), 3) * 120 + random() * 60 - 10)::numeric, 2) AS score FROM leads_lead) scored;

INSERT INTO leads_lastactivity (lead_id, at)
SELECT id, CASE WHEN random() < 0.75 THEN greatest(created_at, now() - power(random(), 2) * interval '500 days') END
  FROM leads_lead;
