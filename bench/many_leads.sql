-- Builds :leads leads (psycopg parameter) straight in SQL, for measuring lists.
-- Stages thin out like a funnel; owners, channels, countries and scores are spread unevenly.
INSERT INTO leads_account (name, domain, industry, country, employee_count, revenue_currency, custom)
SELECT 'Company ' || n, 'company' || n || '.example', (ARRAY['Automotive','Food','Chemicals','Logistics'])[1 + n %% 4],
       (ARRAY['DE','US','KR','FR','GB','SE'])[1 + (n * 7) %% 6], 10 + (n * 37) %% 5000, 'EUR', '{}'
  FROM generate_series(1, greatest(1, %(leads)s / 8)) n;

INSERT INTO leads_lead (public_id, email, is_email_verified, first_name, last_name, title, phone, company,
    account_id, country, persona, channel, source, medium, campaign, owner_id, team_id, custom, created_at,
    stage, stage_entered_at, cycle, episode_seq)
SELECT gen_random_uuid(), 'person' || n || '@company' || (1 + n %% greatest(1, %(leads)s / 8)) || '.example', true,
       (ARRAY['Anna','Ben','Chloé','Dae-jung','Erik','Fatima','Georg','Hana','Ines','Jun'])[1 + (n * 7) %% 10],
       (ARRAY['Adams','Becker','Choi','Dubois','Evans','Fischer','Garcia','Han','Ito','Jansen','Kim','Lee','Müller'])[1 + (n * 11) %% 13] || CASE WHEN n %% 3 = 0 THEN '' ELSE ' ' || chr(65 + n %% 26) END,
       (ARRAY['Head of Production','Plant Manager','Buyer','CTO','Engineer','Student'])[1 + (n * 13) %% 6], '',
       'Company ' || (1 + n %% greatest(1, %(leads)s / 8)),
       accounts.first + n %% greatest(1, %(leads)s / 8),
       (ARRAY['DE','DE','DE','US','US','KR','FR','GB','SE','BR'])[1 + (n * 3) %% 10], '',
       (ARRAY['organic_search','organic_search','paid_search','paid_search','email','direct','event','web_referral','paid_social','review_site'])[1 + (n * 17) %% 10],
       (ARRAY['google','google','bing','newsletter','linkedin','fair-2026','partner','capterra'])[1 + (n * 19) %% 8], '', '',
       CASE WHEN n %% 5 = 0 THEN people.ids[1 + n %% array_length(people.ids, 1)] END,
       CASE WHEN n %% 5 < 2 THEN teams.ids[1 + n %% array_length(teams.ids, 1)] END, '{}',
       now() - (n %% 540) * interval '1 day' - (n %% 1440) * interval '1 minute', 'lead',
       now() - (n %% 540) * interval '1 day' - (n %% 1440) * interval '1 minute', 1, 1
  FROM generate_series(1, %(leads)s) n,
       (SELECT min(id) AS first FROM leads_account) accounts,
       (SELECT array_agg(id) AS ids FROM users_user WHERE role IN ('rep', 'manager')) people,
       (SELECT array_agg(id) AS ids FROM users_team) teams;

INSERT INTO leads_stageepisode (lead_id, seq, previous_seq, from_stage, stage, entry_kind, starts_cycle,
    cycle, entered_at, exit_kind, is_pass_through, is_date_unknown, actor_kind, actor_label, reason,
    is_override, criteria)
SELECT l.id, s.seq, nullif(s.seq - 1, 0), s.before, s.stage, CASE WHEN s.seq = 1 THEN 'captured' ELSE 'advanced' END,
       false, 1, l.created_at + (s.seq - 1) * interval '3 hours', '', false, false, 'system', 'bench', '', false, '[]'
  FROM leads_lead l
  JOIN (VALUES (1, '', 'lead', 1), (2, 'lead', 'qualified', 2), (3, 'qualified', 'mql', 10), (4, 'mql', 'sal', 50),
               (5, 'sal', 'sql', 150), (6, 'sql', 'customer', 450)) s (seq, before, stage, every) ON l.id %% s.every = 0
 ORDER BY l.id, s.seq;

UPDATE leads_lead l SET stage = e.stage, stage_entered_at = e.entered_at, episode_seq = e.seq
  FROM leads_stageepisode e WHERE e.lead_id = l.id AND e.left_at IS NULL AND e.seq > 1;

INSERT INTO leads_standing (lead_id, score, fit, interest, quadrant, is_promising, last_activity_at, model_version, scored_at)
SELECT id, (id * 7919) %% 200 - 20 + (id %% 100) / 100.0, (id * 31) %% 100, (id * 17) %% 100,
       (ARRAY['neither','neither','fit','interest','both'])[1 + id %% 5], id %% 5 = 4,
       CASE WHEN id %% 4 > 0 THEN now() - (id %% 9000) * interval '1 hour' END, 1, now()
  FROM leads_lead;
