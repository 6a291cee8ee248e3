-- Claims (請求): what an approved plan owes each person, chunk by chunk; what is paid of it, and what came of that.

-- Refuses an approval whose plan does not say to the last unit what is set apart for whom. The people of a plan have the numbers
-- 1 to N; their amounts come later, chunk by chunk, each held against its digest here. No two plans that stand are for the same people: the
-- holders of an asset, in one incident or at one instant (`at`), or those of a dispute.
CREATE OR REPLACE FUNCTION books.check_plan(p_key text, p_content jsonb, p_accounts bigint[], p_amounts numeric[]) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_plan text := p_content->>'plan';
  v_legs jsonb := p_content->'legs';
  v_leg jsonb;
  v_other record;
  v_bad record;
BEGIN
  IF (v_plan ~ '^[0-9a-f]{64}$' AND p_key = 'compensation:' || left(v_plan, 24) AND p_content->>'permission' ~ '^(confirmed|exempt): [^[:cntrl:]]+$'
      AND NOT jsonb_path_exists(p_content - 'legs', 'strict $.* ? (@.type() <> "string")') AND books.is_incident(p_content->>'incident')
      AND CASE WHEN p_content ? 'at' OR p_content->>'who' IN ('holders', 'place') THEN books.is_instant(p_content->>'at') ELSE true END) IS NOT TRUE THEN
    PERFORM books.refuse('this is no plan of an incident on record, or nobody permits it', 'batch ' || p_key,
      'ask for it with `junbikin incident ask`: key, incident, plan and permission belong together');
  END IF;
  IF jsonb_typeof(v_legs) IS DISTINCT FROM 'array' OR jsonb_array_length(v_legs) = 0 THEN
    PERFORM books.refuse('the plan pays nothing', 'batch ' || p_key, 'say in "legs" what it pays of each asset');
  END IF;
  FOR v_leg IN SELECT jsonb_array_elements(v_legs) LOOP
    IF (books.is_amount(v_leg->>'total') AND v_leg->>'people' ~ '^[1-9][0-9]{0,11}$' AND v_leg->>'size' ~ '^[1-9][0-9]{0,5}$'
        AND books.is_list(v_leg->'chunks', '^[0-9a-f]{64}$') AND v_leg - '{asset,total,people,size,chunks}'::text[] = '{}'
        AND NOT jsonb_path_exists(v_leg - 'chunks', 'strict $.* ? (@.type() <> "string")')
        AND jsonb_array_length(v_leg->'chunks') = ((v_leg->>'people')::numeric + (v_leg->>'size')::numeric - 1)::bigint / (v_leg->>'size')::bigint) IS NOT TRUE THEN
      PERFORM books.refuse('what the plan pays of ' || coalesce(v_leg->>'asset', '(none)') || ' is not said as it must be', 'batch ' || p_key,
        'give asset, total, people, size, and for each chunk of so many people the digest of what they are owed');
    END IF;
  END LOOP;
  PERFORM pg_advisory_xact_lock(7111, 0);  -- one plan at a time is approved
  SELECT r.id, r.subject INTO v_other FROM books.records r CROSS JOIN LATERAL (SELECT r.content::jsonb AS says OFFSET 0) o
  WHERE r.kind = 'batch' AND starts_with(r.key, 'compensation:') AND r.subject <> v_plan
    AND (o.says->>'affected' = p_content->>'affected' AND o.says->>'who' IN ('holders', 'place') AND p_content->>'who' IN ('holders', 'place')
        AND (o.says->>'incident' = p_content->>'incident'
          OR CASE WHEN o.says ? 'at' AND p_content ? 'at' THEN (o.says->>'at')::timestamptz = (p_content->>'at')::timestamptz END)
      OR string_to_array(o.says->>'disputes', ',') && string_to_array(p_content->>'disputes', ','))
    AND NOT EXISTS (SELECT 1 FROM books.records u WHERE u.kind = 'batch' AND u.key = 'reversal:' || r.id AND u.content::jsonb->>'purpose' = 'reversal') LIMIT 1;
  IF FOUND THEN
    PERFORM books.refuse('the plan ' || left(v_other.subject, 12) || ' makes the same people good already: they would be paid twice', 'batch ' || p_key || ', record ' || v_other.id,
      'refuse this one, or undo the other first; whom the other left out is named in a file of accounts');
  END IF;
  SELECT coalesce(l.asset, g.asset) AS asset, l.total, g.amount, g.accounts, g.holder INTO v_bad
  FROM (SELECT e->>'asset' AS asset, sum((e->>'total')::numeric) AS total, count(*) AS legs FROM jsonb_array_elements(v_legs) e GROUP BY 1) l
  FULL JOIN (
    SELECT a.asset, sum(e.amount) AS amount, count(DISTINCT a.id) AS accounts, min(a.holder) AS holder
    FROM unnest(p_accounts, p_amounts) e(account, amount) JOIN books.accounts a ON a.id = e.account AND a.owner = 'claimant' GROUP BY a.asset) g ON g.asset = l.asset
  WHERE (l.legs = 1 AND l.total = g.amount AND g.accounts = 1 AND g.holder = p_content->>'incident') IS NOT TRUE LIMIT 1;
  IF FOUND THEN
    PERFORM books.refuse('the plan pays ' || coalesce(v_bad.total::text, 'no') || ' ' || v_bad.asset || ', and ' || coalesce(trim_scale(v_bad.amount)::text, 'nothing') || ' is set apart for the claimants of '
      || coalesce(p_content->>'incident', ''), 'batch ' || p_key, 'let one account claimant/ASSET/PLACE/INCIDENT receive of each asset just what the plan pays of it');
  END IF;
END $$;

-- The record of a plan's approval that stands: its number and what it says. `p_shared` waits for whoever is undoing it, and lets nobody
-- undo it until the transaction ends.
CREATE OR REPLACE FUNCTION books.standing_plan(p_plan text, p_subject text, OUT id bigint, OUT says jsonb) LANGUAGE plpgsql AS $$
BEGIN
  SELECT r.id, r.content::jsonb INTO standing_plan.id, standing_plan.says FROM books.records r
  WHERE r.kind = 'batch' AND r.key = 'compensation:' || left(p_plan, 24) AND r.subject = p_plan;
  IF standing_plan.id IS NULL THEN
    PERFORM books.refuse('the plan ' || left(p_plan, 12) || ' is not approved', p_subject, 'ask for it with `junbikin incident ask`, and let someone else approve it');
  END IF;
  PERFORM pg_advisory_xact_lock_shared(7108, hashtext('reversal:' || standing_plan.id));
  IF EXISTS (SELECT 1 FROM books.records r WHERE r.kind = 'batch' AND r.key = 'reversal:' || standing_plan.id AND r.content::jsonb->>'purpose' = 'reversal') THEN
    PERFORM books.refuse('the plan ' || left(p_plan, 12) || ' was undone', p_subject, 'make a new plan, and have it approved');
  END IF;
END $$;

-- Refuses whoever may not pay claims.
CREATE OR REPLACE FUNCTION books.check_payer(p_person text, p_secret bytea, p_subject text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF NOT books.roles_of(books.person(p_person, p_secret)) && '{incident_commander,reserve_officer}' THEN
    PERFORM books.refuse(p_person || ' has no role that may pay claims', p_subject, 'let an incident_commander or a reserve_officer do it');
  END IF;
END $$;

-- A subject PLAN:ASSET:CHUNK in its parts.
CREATE OR REPLACE FUNCTION books.claim_of(p_subject text, OUT plan text, OUT asset text, OUT chunk int) LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  v_parts text[] := regexp_match(p_subject, '^([0-9a-f]{64}):([A-Z0-9][A-Za-z0-9._-]{0,31}):([1-9][0-9]{0,5})$');
BEGIN
  IF v_parts IS NULL THEN
    PERFORM books.refuse('these are no claims: ' || coalesce(p_subject, '(none)'), '', 'name the plan''s digest, the asset and the chunk as PLAN:ASSET:CHUNK');
  END IF;
  plan := v_parts[1];
  asset := v_parts[2];
  chunk := v_parts[3]::int;
END $$;

-- The numbers that a text names, as the server writes them; refuses another way to write them, and infinite ones.
CREATE OR REPLACE FUNCTION books.numbers_of(p_text text, p_subject text) RETURNS int8multirange LANGUAGE plpgsql AS $$
DECLARE
  v_numbers int8multirange;
BEGIN
  IF p_text ~ '^[{][][0-9(),]*[}]$' THEN v_numbers := p_text; END IF;
  IF (v_numbers::text = p_text AND NOT lower_inf(v_numbers) AND NOT upper_inf(v_numbers)) IS NOT TRUE THEN
    PERFORM books.refuse('these are no numbers of claims: ' || coalesce(left(p_text, 200), '(none)'), p_subject, 'write them as {[1,3),[7,8)}, in order and joined');
  END IF;
  RETURN v_numbers;
EXCEPTION WHEN data_exception THEN
  PERFORM books.refuse('these are no numbers of claims: ' || coalesce(left(p_text, 200), '(none)'), p_subject, 'write them as {[1,3),[7,8)}, in order and joined');
END $$;

-- How many numbers there are.
CREATE OR REPLACE FUNCTION books.people_in(p_numbers int8multirange) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN coalesce((SELECT sum(upper(n) - lower(n)) FROM unnest(p_numbers) n), 0);
END $$;

-- What those of some numbers are owed together, of amounts that begin with number `p_first`; NULL when one of them is owed nothing.
CREATE OR REPLACE FUNCTION books.owed(p_amounts numeric[], p_first bigint, p_numbers int8multirange) RETURNS numeric LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  v_sum numeric;
  v_all int8range := int8range(p_first, p_first + cardinality(p_amounts));
BEGIN
  IF isempty(p_numbers) THEN RETURN 0; END IF;
  IF NOT p_numbers <@ v_all THEN RETURN NULL; END IF;
  IF p_numbers @> v_all THEN
    IF array_position(p_amounts, 0) IS NULL THEN SELECT sum(a) INTO v_sum FROM unnest(p_amounts) a; END IF;
  ELSE
    SELECT CASE WHEN min(o.a) > 0 THEN sum(o.a) END INTO v_sum
    FROM (SELECT unnest(p_amounts) AS a, generate_series(p_first, upper(v_all) - 1) AS n) o WHERE o.n <@ p_numbers;
  END IF;
  RETURN trim_scale(v_sum);
END $$;

-- Puts on record what the people of a chunk are owed, in the order of their numbers, and returns the record. It is recorded once, and
-- only when it is what was approved; the same again gives the record that is there.
CREATE OR REPLACE FUNCTION books.entitle(p_person text, p_secret bytea, p_subject text, p_why text, p_content text, p_amounts numeric[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  v_claim record := books.claim_of(p_subject);
  v_says jsonb := books.said(p_content);
  v_plan record;
  v_leg jsonb;
  v_text text := array_to_string(p_amounts, ',', 'NULL');
  v_entries bytea := sha256(convert_to(E'\n' || v_text, 'UTF8'));
  v_known record;
  v_first bigint;
  v_id bigint;
  v_next record;
BEGIN
  PERFORM books.check_payer(p_person, p_secret, p_subject);
  v_plan := books.standing_plan(v_claim.plan, p_subject);
  PERFORM pg_advisory_xact_lock(7110, hashtext(p_subject));
  SELECT id, content, entries_digest INTO v_known FROM books.records WHERE kind = 'entitlement' AND key = p_subject;
  IF FOUND THEN
    IF (v_known.content, v_known.entries_digest) IS DISTINCT FROM (p_content, v_entries) THEN
      PERFORM books.refuse('what these claims are is on record, with other content', 'record ' || v_known.id, 'see `junbikin claims`');
    END IF;
    RETURN v_known.id;
  END IF;
  SELECT e INTO v_leg FROM jsonb_array_elements(v_plan.says->'legs') e WHERE e->>'asset' = v_claim.asset;
  v_first := (v_claim.chunk - 1)::bigint * (v_leg->>'size')::bigint + 1;
  IF (v_leg->'chunks'->>(v_claim.chunk - 1) = encode(sha256(convert_to(p_content || E'\n' || encode(v_entries, 'hex'), 'UTF8')), 'hex')) IS NOT TRUE THEN
    PERFORM books.refuse('this is not what was approved', p_subject || ', plan of record ' || v_plan.id, 'pay what was approved, or have another plan approved');
  END IF;
  IF (v_says - '{accounts,asset,chunk,first,people}'::text[] = '{}' AND v_says->>'accounts' ~ '^[0-9a-f]{64}$' AND v_says->>'asset' = v_claim.asset
      AND v_says->>'chunk' = v_claim.chunk::text AND v_says->>'first' = v_first::text AND v_says->>'people' = cardinality(p_amounts)::text
      AND cardinality(p_amounts) = least((v_leg->>'size')::bigint, (v_leg->>'people')::bigint - v_first + 1)
      AND array_ndims(p_amounts) = 1 AND array_lower(p_amounts, 1) = 1
      AND strpos(v_text, '-') = 0 AND strpos(v_text, 'N') = 0 AND strpos(v_text, 'I') = 0) IS NOT TRUE THEN
    PERFORM books.refuse('these are not the claims of a chunk', p_subject, 'give accounts, asset, chunk, first and people, and an amount of each, none below 0');
  END IF;
  v_id := nextval('books.record_numbers');
  v_next := books.next_link();
  RETURN books.write_record(v_id, v_next.strand, v_next.link, v_next.previous, v_next.recorded_at, 'entitlement', p_subject, p_subject,
    v_next.recorded_at, p_person, p_why, NULL, p_content, '{}', p_amounts, v_entries);
END $$;

-- Those numbers of a chunk that are paid, or are being paid: sent, and neither returned since.
CREATE OR REPLACE FUNCTION books.taken_numbers(p_subject text) RETURNS int8multirange LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN coalesce((
    SELECT range_agg((p.says->>'numbers')::int8multirange - coalesce((
      SELECT range_agg(n.value::int8multirange) FROM books.records r CROSS JOIN LATERAL (SELECT r.content::jsonb AS says OFFSET 0) s
      CROSS JOIN LATERAL jsonb_each_text(s.says->'returned') n
      WHERE r.kind = 'payout_result' AND r.subject = p_subject AND (s.says->>'run', s.says->>'channel') = (p.says->>'run', p.says->>'channel')), '{}'))
    FROM (SELECT content::jsonb AS says FROM books.records WHERE kind = 'payout' AND subject = p_subject OFFSET 0) p), '{}');
END $$;

-- Puts on record that claims of a chunk are sent to be paid, and returns the record. Nobody is sent twice what is out or settled.
CREATE OR REPLACE FUNCTION books.pay_out(p_person text, p_secret bytea, p_subject text, p_why text, p_content text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  v_claim record := books.claim_of(p_subject);
  v_says jsonb := books.said(p_content);
  v_numbers int8multirange := books.numbers_of(v_says->>'numbers', p_subject);
  v_key text := p_subject || ':' || (v_says->>'run') || ':' || (v_says->>'channel');
  v_plan record;
  v_known record;
  v_owed record;
  v_twice int8multirange;
BEGIN
  PERFORM books.check_payer(p_person, p_secret, p_subject);
  v_plan := books.standing_plan(v_claim.plan, p_subject);
  PERFORM pg_advisory_xact_lock(7110, hashtext(p_subject));
  SELECT id, content INTO v_known FROM books.records WHERE kind = 'payout' AND key = v_key;
  IF FOUND THEN
    IF v_known.content <> p_content THEN
      PERFORM books.refuse('this run sent other claims of the chunk by this channel', 'record ' || v_known.id, 'send them in a new run');
    END IF;
    RETURN v_known.id;
  END IF;
  IF (v_says - '{asset,channel,chunk,files,numbers,payees,people,run,total,value_on}'::text[] = '{}' AND v_says->>'asset' = v_claim.asset
      AND v_says->>'chunk' = v_claim.chunk::text AND v_says->>'run' ~ '^[1-9][0-9]{0,2}$' AND v_says->>'channel' IN ('zengin', 'iso20022', 'account', 'custodian')
      AND books.is_list(v_says->'files', '^[0-9a-f]{64}$') AND v_says->>'payees' ~ '^([0-9a-f]{64})?$' AND NOT isempty(v_numbers)
      AND NOT jsonb_path_exists(v_says - 'files' - 'value_on', 'strict $.* ? (@.type() <> "string")') AND v_says ? 'value_on'
      AND (v_says->>'value_on' ~ '^[2-9][0-9]{3}-[0-9]{2}-[0-9]{2}$' OR jsonb_typeof(v_says->'value_on') = 'null')) IS NOT TRUE THEN
    PERFORM books.refuse('this is no payout', p_subject, 'pay with `junbikin incident pay`');
  END IF;
  SELECT books.owed(amounts, (content::jsonb->>'first')::bigint, v_numbers)::text AS total INTO v_owed FROM books.records WHERE kind = 'entitlement' AND key = p_subject;
  IF v_owed.total IS NULL THEN
    PERFORM books.refuse('not everybody of these is owed something', p_subject, 'put what they are owed on record first, and pay only those who are owed something');
  END IF;
  IF (v_owed.total = v_says->>'total' AND books.people_in(v_numbers)::text = v_says->>'people') IS NOT TRUE THEN
    PERFORM books.refuse('these are ' || books.people_in(v_numbers) || ' people who are owed ' || v_owed.total || ' ' || v_claim.asset, p_subject
      || ': ' || coalesce(v_says->>'people', 'no') || ' people, ' || coalesce(v_says->>'total', 'no total'), 'pay just what they are owed');
  END IF;
  v_twice := v_numbers * books.taken_numbers(p_subject);
  IF NOT isempty(v_twice) THEN
    PERFORM books.refuse('number ' || lower(v_twice) || ' is paid, or being paid, already', p_subject, 'wait for the result, and pay only what came back');
  END IF;
  RETURN books.append('payout', p_subject, v_key, NULL, p_person, p_why, NULL, p_content);
END $$;

-- Puts on record what came of claims that were sent in one run by one channel, as one source says, and posts what follows from it: the
-- claimants' account pays what was settled (`p_settled_…`), and gets back what had counted as settled (`p_back_…`). Returns the record;
-- the same again gives the record that is there.
CREATE OR REPLACE FUNCTION books.record_result(
  p_person text, p_secret bytea, p_subject text, p_at timestamptz, p_why text, p_content text,
  p_settled_accounts bigint[], p_settled_amounts numeric[], p_back_accounts bigint[], p_back_amounts numeric[]
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = books, pg_temp SET timezone = 'UTC' SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET work_mem = '64MB' AS $$
DECLARE
  v_claim record := books.claim_of(p_subject);
  v_says jsonb := books.said(p_content);
  v_key text := p_subject || ':' || left(encode(sha256(convert_to(p_content, 'UTF8')), 'hex'), 24);
  v_settled int8multirange := books.numbers_of(v_says->>'settled', p_subject);
  v_returned int8multirange := '{}';
  v_back int8multirange;
  v_each int8multirange;
  v_people bigint;
  v_known record;
  v_sent record;
  v_before record;
  v_owed record;
  v_id bigint;
  v_maker jsonb;
  v_locked boolean;
BEGIN
  PERFORM books.check_payer(p_person, p_secret, p_subject);
  IF (v_says - '{asset,channel,chunk,people,returned,returned_total,run,settled,settled_total,source}'::text[]
        - CASE v_says->>'channel' WHEN 'account' THEN '{ids}' ELSE '{}' END::text[] = '{}' AND v_says->>'asset' = v_claim.asset
      AND v_says->>'chunk' = v_claim.chunk::text AND v_says->>'source' ~ '^[0-9a-f]{64}$' AND jsonb_typeof(v_says->'returned') = 'object'
      AND NOT jsonb_path_exists(v_says - 'returned', 'strict $.* ? (@.type() <> "string")')
      AND NOT jsonb_path_exists(v_says->'returned', 'strict $.* ? (@.type() <> "string")')) IS NOT TRUE THEN
    PERFORM books.refuse('this is no result of payouts', p_subject, 'bring results in with `junbikin incident results`');
  END IF;
  PERFORM pg_advisory_xact_lock(7110, hashtext(p_subject));
  SELECT id INTO v_known FROM books.records WHERE kind = 'payout_result' AND key = v_key;
  IF FOUND THEN RETURN v_known.id; END IF;  -- what it says is in its key
  v_people := books.people_in(v_settled);
  FOR v_each IN SELECT books.numbers_of(value, p_subject) FROM jsonb_each_text(v_says->'returned') LOOP
    v_people := v_people + books.people_in(v_each);
    v_returned := v_returned + v_each;
  END LOOP;
  IF p_at > clock_timestamp() OR p_at < '2000-01-01T00:00:00Z' THEN
    PERFORM books.refuse('this is not when it was: ' || books.instant(p_at), p_subject, 'give the instant at which it was settled or came back');
  END IF;
  IF (v_people > 0 AND v_people = books.people_in(v_settled + v_returned) AND v_people::text = v_says->>'people') IS NOT TRUE THEN
    PERFORM books.refuse('a result is of ' || v_people || ' people, each settled or returned once', p_subject || ': ' || coalesce(v_says->>'people', 'no') || ' people',
      'say of each number one thing');
  END IF;
  SELECT (content::jsonb->>'numbers')::int8multirange AS numbers, recorded_at INTO v_sent FROM books.records
  WHERE kind = 'payout' AND key = concat_ws(':', p_subject, v_says->>'run', v_says->>'channel') AND subject = p_subject;
  SELECT coalesce(range_agg((s.says->>'settled')::int8multirange), '{}') AS settled, coalesce(range_agg(s.returned), '{}') AS returned INTO v_before
  FROM (
    SELECT r.says, (SELECT range_agg(n.value::int8multirange) FROM jsonb_each_text(r.says->'returned') n) AS returned
    FROM (SELECT content::jsonb AS says FROM books.records WHERE kind = 'payout_result' AND subject = p_subject OFFSET 0) r
    WHERE (r.says->>'run', r.says->>'channel') = (v_says->>'run', v_says->>'channel')) s;
  v_each := v_settled - (v_sent.numbers - v_before.settled - v_before.returned) + (v_returned - (v_sent.numbers - v_before.returned));
  IF isempty(v_each) IS NOT TRUE THEN
    PERFORM books.refuse(coalesce('number ' || lower(v_each) || ' is not being paid', 'nothing was sent') || ' in run ' || coalesce(v_says->>'run', '(none)') || ' by ' || coalesce(v_says->>'channel', '(none)'),
      p_subject, 'bring in only what the books do not know yet');
  END IF;
  IF p_at < v_sent.recorded_at THEN
    PERFORM books.refuse('this was before it was sent: ' || books.instant(p_at), p_subject || ', sent ' || books.instant(v_sent.recorded_at),
      'give the instant at which it was settled or came back');
  END IF;
  v_back := v_returned * v_before.settled;
  SELECT trim_scale(coalesce(sum(o.a) FILTER (WHERE o.n <@ v_settled), 0)) AS settled, trim_scale(coalesce(sum(o.a) FILTER (WHERE o.n <@ v_returned), 0)) AS returned,
    trim_scale(coalesce(sum(o.a) FILTER (WHERE o.n <@ v_back), 0)) AS back INTO v_owed
  FROM (
    SELECT unnest(e.amounts) AS a, generate_series(e.first, e.first + cardinality(e.amounts) - 1) AS n
    FROM (SELECT amounts, (content::jsonb->>'first')::bigint AS first FROM books.records WHERE kind = 'entitlement' AND key = p_subject OFFSET 0) e) o;
  IF (v_owed.settled::text = v_says->>'settled_total' AND v_owed.returned::text = v_says->>'returned_total') IS NOT TRUE THEN
    PERFORM books.refuse('settled are ' || v_owed.settled || ', returned ' || v_owed.returned || ' ' || v_claim.asset,
      p_subject || ': ' || coalesce(v_says->>'settled_total', 'none') || ' and ' || coalesce(v_says->>'returned_total', 'none'), 'state just what they were owed');
  END IF;
  PERFORM books.check_result_entries(p_subject, v_claim.plan, v_claim.asset, v_says->>'channel', -v_owed.settled, p_settled_accounts, p_settled_amounts);
  PERFORM books.check_result_entries(p_subject, v_claim.plan, v_claim.asset, v_says->>'channel', v_owed.back, p_back_accounts, p_back_amounts);
  IF v_says->>'channel' = 'account' THEN
    PERFORM books.check_credited(p_subject, v_says->>'ids', v_settled, p_settled_accounts, p_settled_amounts);
    PERFORM books.check_credited(p_subject, v_says->>'ids', v_back, p_back_accounts, p_back_amounts);
  END IF;
  IF v_says->'returned' ? 'withdrawn' THEN
    IF NOT isempty(v_settled + v_back) THEN
      PERFORM books.refuse('what was settled is not withdrawn', p_subject, 'withdraw only what is out, in a result of its own');
    END IF;
    PERFORM books.check_withdrawn(p_subject, v_says);
  END IF;
  v_maker := books.latest('person', p_person);
  IF p_settled_accounts IS NOT NULL OR p_back_accounts IS NOT NULL THEN
    v_locked := books.lock_accounts(p_settled_accounts || p_back_accounts);
  END IF;
  v_id := books.append('payout_result', p_subject, v_key, p_at, p_person, p_why, NULL, p_content);
  IF p_settled_accounts IS NOT NULL THEN
    PERFORM books.post_batch(v_maker, p_person, 'payout:' || v_key, p_at, p_why, '{"purpose":"payout","result":"' || v_key || '"}', p_settled_accounts, p_settled_amounts, NULL);
  END IF;
  IF p_back_accounts IS NOT NULL THEN
    PERFORM books.post_batch(v_maker, p_person, 'payout_return:' || v_key, p_at, p_why, '{"purpose":"payout_return","result":"' || v_key || '"}', p_back_accounts, p_back_amounts, NULL);
  END IF;
  RETURN v_id;
END $$;

-- Refuses entries of a result that are not just this: the claimants' account of the plan receives `p_received` (below 0: pays), and those
-- whom the channel reaches the rest.
CREATE OR REPLACE FUNCTION books.check_result_entries(
  p_subject text, p_plan text, p_asset text, p_channel text, p_received numeric, p_accounts bigint[], p_amounts numeric[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_count int;
  v_sides record;
BEGIN
  IF p_received = 0 AND p_accounts IS NULL AND p_amounts IS NULL THEN RETURN; END IF;
  v_count := books.check_entries(p_subject, p_accounts, p_amounts);
  SELECT coalesce(sum(e.amount) FILTER (WHERE a.owner = 'claimant'), 0) AS claimant,
    bool_and(CASE WHEN e.account = c.id THEN sign(e.amount) = sign(p_received)
      ELSE a.owner = CASE p_channel WHEN 'account' THEN 'customer' ELSE 'outside' END AND a.asset = p_asset AND a.place <> 'booked' AND sign(e.amount) = -sign(p_received) END) AS sound
  INTO v_sides
  FROM unnest(p_accounts, p_amounts) e(account, amount) LEFT JOIN books.accounts a ON a.id = e.account
  CROSS JOIN (
    SELECT a.id FROM books.records r CROSS JOIN LATERAL unnest(r.accounts) x JOIN books.accounts a ON a.id = x AND a.owner = 'claimant' AND a.asset = p_asset
    WHERE r.kind = 'batch' AND r.key = 'compensation:' || left(p_plan, 24) LIMIT 1) c;
  IF (v_sides.claimant = p_received AND v_sides.sound AND p_received <> 0) IS NOT TRUE THEN
    PERFORM books.refuse('these entries are not what follows from the result', p_subject,
      'let the plan''s claimant account pay what was settled, or get back what was, and ' || CASE p_channel WHEN 'account' THEN 'customers'' accounts' ELSE 'outside' END || ' the other side');
  END IF;
END $$;

-- Refuses credits that do not reach just whom the plan names: each of the numbers its own customer with its own amount, all at one place.
-- `p_ids` are the account ids of the whole chunk, joined by line ends, of which its entitlement has the digest.
CREATE OR REPLACE FUNCTION books.check_credited(p_subject text, p_ids text, p_numbers int8multirange, p_accounts bigint[], p_amounts numeric[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_ids text[] := string_to_array(p_ids, E'\n');
  v_chunk record;
  v_sound boolean;
BEGIN
  IF isempty(p_numbers) THEN RETURN; END IF;
  SELECT amounts, (content::jsonb->>'first')::bigint AS first, content::jsonb->>'accounts' AS accounts INTO v_chunk
  FROM books.records WHERE kind = 'entitlement' AND key = p_subject;
  IF (encode(sha256(convert_to(p_ids, 'UTF8')), 'hex') = v_chunk.accounts AND cardinality(v_ids) = cardinality(v_chunk.amounts)) IS NOT TRUE THEN
    PERFORM books.refuse('these are not the accounts that the plan names', p_subject, 'give the account ids of the whole chunk in the order of their numbers, one a line');
  END IF;
  WITH due AS MATERIALIZED (
    SELECT d.id, d.amount FROM unnest(v_ids, v_chunk.amounts) WITH ORDINALITY d(id, amount, n) WHERE v_chunk.first + d.n - 1 <@ p_numbers
  ), done AS MATERIALIZED (
    SELECT a.holder, abs(e.amount) AS amount, a.place FROM unnest(p_accounts, p_amounts) e(account, amount) JOIN books.accounts a ON a.id = e.account AND a.owner = 'customer'
  )
  SELECT (SELECT count(*) FROM due) = (SELECT count(*) FROM done) AND (SELECT min(place) = max(place) FROM done)
    AND NOT EXISTS (SELECT id, amount FROM due EXCEPT ALL SELECT holder, amount FROM done) INTO v_sound;
  IF v_sound IS NOT TRUE THEN
    PERFORM books.refuse('these entries reach others than the plan names, or with other amounts', p_subject,
      'let each customer who is settled have what they are owed, all at one place');
  END IF;
END $$;

-- Refuses to ask for the withdrawal of more than was sent. What is withdrawn may be sent again: two people vouch that no bank or custodian
-- carries the first sending out.
CREATE OR REPLACE FUNCTION books.check_withdrawal(p_subject text, p_says jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_run text[] := regexp_match(p_subject, '^([0-9a-f]{64}):([1-9][0-9]{0,2})$');
  v_sent record;
BEGIN
  IF (v_run IS NOT NULL AND p_says - '{asset,channel,people,total}'::text[] = '{}' AND p_says->>'asset' ~ '^[A-Z0-9][A-Za-z0-9._-]{0,31}$'
      AND NOT jsonb_path_exists(p_says, 'strict $.* ? (@.type() <> "string")') AND p_says->>'channel' <> ''
      AND p_says->>'people' ~ '^[1-9][0-9]{0,11}$' AND books.is_amount(p_says->>'total')) IS NOT TRUE THEN
    PERFORM books.refuse('this withdraws no payments', 'withdrawal of ' || p_subject, 'name the plan and run as PLAN:RUN, and give asset, channel, people and total');
  END IF;
  SELECT coalesce(sum((s.says->>'people')::bigint), 0) AS people, coalesce(sum((s.says->>'total')::numeric), 0) AS total INTO v_sent
  FROM books.records r CROSS JOIN LATERAL (SELECT r.content::jsonb AS says OFFSET 0) s
  WHERE r.kind = 'payout' AND starts_with(r.subject, v_run[1] || ':' || (p_says->>'asset') || ':')
    AND s.says->>'run' = v_run[2] AND s.says->>'channel' = p_says->>'channel';
  IF (p_says->>'people')::bigint > v_sent.people OR (p_says->>'total')::numeric > v_sent.total THEN
    PERFORM books.refuse('in run ' || v_run[2] || ' ' || v_sent.people || ' people were sent ' || trim_scale(v_sent.total) || ' ' || (p_says->>'asset') || ' by ' || (p_says->>'channel'),
      'withdrawal of ' || p_subject || ': ' || (p_says->>'people') || ' people, ' || (p_says->>'total'), 'withdraw no more than is out');
  END IF;
END $$;

-- Refuses a result that withdraws what no two people withdrew, or more than they did. Its source is the SHA-256 of the request's number.
CREATE OR REPLACE FUNCTION books.check_withdrawn(p_subject text, p_says jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_claim record := books.claim_of(p_subject);
  v_words record;
  v_before record;
BEGIN
  IF (SELECT count(*) FROM jsonb_object_keys(p_says->'returned')) > 1 THEN
    PERFORM books.refuse('what is withdrawn did not come back for another reason', p_subject, 'withdraw only what is out, in a result of its own');
  END IF;
  SELECT r.request, r.content::jsonb AS says INTO v_words FROM books.records r
  WHERE r.kind = 'withdrawal' AND r.subject = v_claim.plan || ':' || (p_says->>'run') AND r.content::jsonb->>'asset' = v_claim.asset
    AND r.content::jsonb->>'channel' = p_says->>'channel' AND encode(sha256(convert_to(r.request::text, 'UTF8')), 'hex') = p_says->>'source';
  IF v_words.request IS NULL THEN
    PERFORM books.refuse('nobody approved that this is withdrawn', p_subject || ', run ' || (p_says->>'run') || ' by ' || (p_says->>'channel'),
      'ask for the withdrawal of the run, and let someone else approve it');
  END IF;
  PERFORM pg_advisory_xact_lock(7112, (v_words.request % 2147483647)::int);
  SELECT coalesce(sum((s.says->>'people')::bigint), 0) AS people, coalesce(sum((s.says->>'returned_total')::numeric), 0) AS total INTO v_before
  FROM books.records r CROSS JOIN LATERAL (SELECT r.content::jsonb AS says OFFSET 0) s
  WHERE r.kind = 'payout_result' AND starts_with(r.subject, v_claim.plan || ':' || v_claim.asset || ':')
    AND s.says->>'source' = p_says->>'source' AND s.says->'returned' ? 'withdrawn';
  IF v_before.people + (p_says->>'people')::bigint > (v_words.says->>'people')::bigint
      OR v_before.total + (p_says->>'returned_total')::numeric > (v_words.says->>'total')::numeric THEN
    PERFORM books.refuse('more is withdrawn than was approved: ' || (v_words.says->>'people') || ' people, ' || (v_words.says->>'total') || ' ' || v_claim.asset,
      p_subject || ', request ' || v_words.request, 'ask for the withdrawal of the others');
  END IF;
END $$;

-- A payout, or one that came back, is named by its result. Only `record_result` posts it: `post` and `decide` refuse such a key.
CREATE OR REPLACE FUNCTION books.check_result(p_key text, p_purpose text, p_result text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF p_key <> p_purpose || ':' || p_result OR NOT EXISTS (SELECT 1 FROM books.records WHERE kind = 'payout_result' AND key = p_result) THEN
    PERFORM books.refuse('there is no result ' || p_result || ' of payouts', 'batch ' || p_key, 'bring results in with `junbikin incident results`');
  END IF;
END $$;

-- Refuses to undo a plan of which something is paid or being paid, and a payout at all.
CREATE OR REPLACE FUNCTION books.check_undone(p_key text, p_purpose text, p_plan text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_out bigint;
BEGIN
  IF p_purpose IN ('payout', 'payout_return') THEN
    PERFORM books.refuse('what was paid to claimants is not undone', 'batch ' || p_key, 'bring in the result that says what came back');
  END IF;
  IF p_purpose = 'compensation' AND p_plan IS NOT NULL THEN
    SELECT coalesce(sum(CASE kind WHEN 'payout' THEN (says->>'people')::bigint
      ELSE -(SELECT coalesce(sum(books.people_in(n.value::int8multirange)), 0) FROM jsonb_each_text(says->'returned') n) END), 0) INTO v_out
    FROM (
      SELECT kind, content::jsonb AS says FROM books.records
      WHERE kind IN ('payout', 'payout_result') AND starts_with(subject, p_plan || ':') OFFSET 0) r;
    IF v_out > 0 THEN
      PERFORM books.refuse(v_out || ' people are paid, or being paid, under this plan', 'batch ' || p_key || ', plan ' || left(p_plan, 12),
        'a plan is undone before anything is paid of it, or when all of it came back');
    END IF;
  END IF;
END $$;
