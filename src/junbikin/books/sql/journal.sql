-- The journal: batches of entries, balanced per asset, within the flow rules, never overdrawing what is segregated.

-- SHA-256 of what an approval is for: a batch's key, its effective time, what it says, and its entries.
CREATE OR REPLACE FUNCTION books.batch_digest(
  p_key text, p_effective_at timestamptz, p_content text, p_accounts bigint[], p_amounts numeric[]
) RETURNS bytea LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN sha256(convert_to(
    'junbikin-batch-1' || E'\n' || p_key || E'\n' || coalesce(books.instant(p_effective_at), '') || E'\n'
    || encode(books.entries_digest(p_accounts, p_amounts), 'hex') || E'\n' || p_content, 'UTF8'));
END $$;

CREATE OR REPLACE FUNCTION books.batch_digest_hex(
  p_key text, p_effective_at timestamptz, p_content text, p_accounts text, p_amounts text
) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN encode(books.batch_digest(p_key, p_effective_at, p_content, p_accounts::bigint[], p_amounts::numeric[]), 'hex');
END $$;

-- How many entries there are. Refuses what are no entries at all: nothing is changed yet.
CREATE OR REPLACE FUNCTION books.check_entries(p_key text, p_accounts bigint[], p_amounts numeric[]) RETURNS int
LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(cardinality(p_accounts), 0) < 2 OR cardinality(p_accounts) IS DISTINCT FROM cardinality(p_amounts)
      OR array_ndims(p_accounts) <> 1 OR array_ndims(p_amounts) <> 1 OR array_lower(p_accounts, 1) <> 1 OR array_lower(p_amounts, 1) <> 1
      OR array_position(p_accounts, NULL) IS NOT NULL OR array_position(p_amounts, NULL) IS NOT NULL THEN
    PERFORM books.refuse('a batch needs at least two entries, each with an account and an amount', 'batch ' || p_key,
      'give as many amounts as accounts, each in one plain list');
  END IF;
  IF cardinality(p_accounts) > 1000000 THEN
    PERFORM books.refuse('a batch has at most 1,000,000 entries', 'batch ' || p_key, 'post it in several batches');
  END IF;
  RETURN cardinality(p_accounts);
END $$;

-- Whoever else moves one of these accounts, or closes it, waits from here on. Accounts share 1,024 locks, taken in one order.
CREATE OR REPLACE FUNCTION books.lock_accounts(p_accounts bigint[]) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_bucket int;
BEGIN
  IF cardinality(p_accounts) = 2 THEN
    v_bucket := least(p_accounts[1] % 1024, p_accounts[2] % 1024);
    IF NOT pg_try_advisory_xact_lock(7100, v_bucket) THEN PERFORM pg_advisory_xact_lock(7100, v_bucket); END IF;
    v_bucket := greatest(p_accounts[1] % 1024, p_accounts[2] % 1024);
    IF NOT pg_try_advisory_xact_lock(7100, v_bucket) THEN PERFORM pg_advisory_xact_lock(7100, v_bucket); END IF;
  ELSIF cardinality(p_accounts) < 1024 THEN
    PERFORM pg_advisory_xact_lock(7100, bucket) FROM (SELECT DISTINCT (a % 1024)::int bucket FROM unnest(p_accounts) a ORDER BY 1) b;
  ELSE
    PERFORM pg_advisory_xact_lock(7100, bucket) FROM generate_series(0, 1023) bucket;
  END IF;
  RETURN true;
END $$;

-- Where an account with several lanes stands: its balance over all of them, its last effective time, the first lane that a
-- batch of `p_effective_at` can go to (a new one when none), and what that lane holds.
CREATE OR REPLACE FUNCTION books.heads(p_account bigint, p_lanes int, p_effective_at timestamptz, p_recorded_at timestamptz) RETURNS books.head
LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_row record;
  v_head books.head := (0, NULL, NULL, NULL);
BEGIN
  FOR v_lane IN 0..p_lanes - 1 LOOP
    SELECT b.balance, b.effective_at, b.recorded_at INTO v_row FROM books.balances b
    WHERE b.account = p_account AND b.lane = v_lane ORDER BY b.recorded_at DESC LIMIT 1;
    IF v_row.recorded_at >= p_recorded_at THEN PERFORM books.refuse_clock(p_recorded_at, v_row.recorded_at); END IF;
    v_head.total := v_head.total + v_row.balance;
    v_head.latest := greatest(v_head.latest, v_row.effective_at);
    IF v_head.lane IS NULL AND v_row.effective_at <= p_effective_at THEN
      v_head.lane := v_lane;
      v_head.held := v_row.balance;
    END IF;
  END LOOP;
  v_head.lane := coalesce(v_head.lane, p_lanes);
  v_head.held := coalesce(v_head.held, 0);
  RETURN v_head;
END $$;

-- The batch itself. `p_maker` is the record of the person whose roles it is made under, `p_by` who posts it, `p_request` the request
-- that approves it, if one does.
CREATE OR REPLACE FUNCTION books.post_batch(
  p_maker jsonb, p_by text, p_key text, p_effective_at timestamptz, p_why text, p_content text, p_accounts bigint[], p_amounts numeric[],
  p_request bigint
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_content jsonb := p_content::jsonb;
  v_purpose text := v_content->>'purpose';
  v_id bigint := nextval('books.record_numbers');
  v_effective timestamptz;
  v_next record;
  v_all record;
  v_payer books.side;
  v_receiver books.side;
  v_sum numeric;
  v_rule record;
  v_roles text[] := books.roles_of(p_maker);
  v_approvers text[] := '{}';
  v_entries bytea;
  v_count int;
  v_locked boolean;
  v_accounts bigint[] := p_accounts;
  v_amounts numeric[] := p_amounts;
BEGIN
  IF jsonb_typeof(v_content) <> 'object' OR length(v_content::text) IS DISTINCT FROM length(p_content) + 2 * jsonb_array_length(jsonb_path_query_array(v_content, '$.keyvalue()')) - 1
      OR jsonb_path_exists(v_content, '$.* ? (@.type() <> "string")') THEN
    PERFORM books.said(p_content);  -- not simply a list of texts: looked at closely
  END IF;
  IF length(p_content) > 100000 THEN
    PERFORM books.refuse('the content is too long: at most 100,000 characters', 'batch ' || p_key, 'keep evidence elsewhere, and give its digest');
  END IF;
  v_count := books.check_entries(p_key, p_accounts, p_amounts);
  v_entries := books.entries_digest(p_accounts, p_amounts);
  IF v_count >= 1024 THEN
    -- What takes long is done before others have to wait: an account's payments become one sum, and what it receives another.
    SELECT array_agg(s.account), array_agg(s.amount) INTO v_accounts, v_amounts FROM (
      SELECT e.account, sum(e.amount) AS amount FROM (SELECT unnest(p_accounts) AS account, unnest(p_amounts) AS amount) e
      GROUP BY e.account, e.amount < 0) s;
  END IF;
  v_locked := books.lock_accounts(p_accounts);
  v_next := books.next_link();
  v_effective := coalesce(p_effective_at, v_next.recorded_at);
  IF v_effective > v_next.recorded_at THEN
    PERFORM books.refuse('the effective time ' || books.instant(v_effective) || ' has not come yet', 'batch ' || p_key,
      'post it when it has happened');
  END IF;
  IF v_effective < '2000-01-01T00:00:00Z' THEN
    PERFORM books.refuse('the effective time is before the year 2000', 'batch ' || p_key, 'the books hold nothing that old');
  END IF;

  WITH net AS MATERIALIZED (
    -- An account's lanes each rise in both clocks: a batch goes to the first whose last effective time is not later than
    -- its own, else opens a new one.
    SELECT k.account, k.amount, k.pays, k.gets, k.sound, k.owner, k.asset, k.booked, k.open, k.may_overdraw, k.lanes, k.recorded,
      CASE WHEN k.lanes = 1 THEN k.total ELSE (k.heads).total END AS total,
      CASE WHEN k.lanes = 1 THEN k.latest ELSE (k.heads).latest END AS latest,
      CASE WHEN k.lanes > 1 THEN (k.heads).lane WHEN k.latest > v_effective THEN 1 ELSE 0 END AS lane,
      CASE WHEN k.lanes > 1 THEN (k.heads).held WHEN k.latest > v_effective THEN 0 ELSE coalesce(k.total, 0) END AS held
    FROM (
      SELECT g.account, g.amount, g.least < 0 AS pays, g.most > 0 AS gets, g.least > -1e30 AND g.most < 1e30 AS sound, a.owner, a.asset, a.place = 'booked' AS booked, a.status = 'open' AS open,
        a.may_overdraw, a.lanes, b.balance AS total, b.effective_at AS latest, b.recorded_at AS recorded,
        CASE WHEN a.lanes > 1 THEN books.heads(a.id, a.lanes, v_effective, v_next.recorded_at) END AS heads
      FROM (
        SELECT e.account, sum(e.amount) AS amount, min(e.amount) AS least, max(e.amount) AS most
        FROM unnest(v_accounts, v_amounts) e(account, amount) GROUP BY e.account ORDER BY e.account) g
      LEFT JOIN books.accounts a ON a.id = g.account
      LEFT JOIN LATERAL (
        SELECT b.balance, b.effective_at, b.recorded_at FROM books.balances b
        WHERE b.account = g.account AND b.lane = 0 ORDER BY b.recorded_at DESC LIMIT 1) b ON true) k
  ), written AS (
    INSERT INTO books.balances (account, lane, recorded_at, effective_at, record, amount, balance)
    SELECT n.account, n.lane, v_next.recorded_at, v_effective, v_id, n.amount, n.held + n.amount FROM net n
  ), side AS (
    SELECT (n.owner, n.asset, CASE WHEN n.booked THEN 'booked' ELSE 'held' END, sum(n.amount), bool_or(n.pays), bool_or(n.gets))::books.side AS side,
      bool_and(n.sound AND scale(n.amount) <= 18) AS sound, bool_and(n.open) AS open, max(n.recorded) AS recorded,
      bool_or(n.latest > v_effective) AS late, bool_or(n.lane >= n.lanes) AS opens,
      bool_or(n.amount < 0 AND NOT n.may_overdraw AND coalesce(n.total, 0) + n.amount < 0) AS overdrawn
    FROM net n GROUP BY n.owner, n.asset, n.booked
  )
  SELECT array_agg(s.side) AS sides, bool_and(s.sound) AS sound, bool_and(s.open IS TRUE) AS open, max(s.recorded) AS recorded,
    bool_or(s.late) AS late, bool_or(s.opens) AS opens, bool_or(s.overdrawn) AS overdrawn
  INTO v_all FROM side s;
  IF v_all.recorded >= v_next.recorded_at THEN PERFORM books.refuse_clock(v_next.recorded_at, v_all.recorded); END IF;
  IF NOT v_all.sound THEN PERFORM books.refuse_amounts(p_key, p_accounts, p_amounts); END IF;
  IF NOT v_all.open THEN PERFORM books.refuse_accounts(p_key, p_accounts); END IF;

  FOREACH v_payer IN ARRAY v_all.sides LOOP
    v_sum := 0;
    FOREACH v_receiver IN ARRAY v_all.sides LOOP
      CONTINUE WHEN v_payer.asset <> v_receiver.asset OR v_payer.scope <> v_receiver.scope;
      v_sum := v_sum + v_receiver.amount;
      CONTINUE WHEN NOT (v_payer.pays AND v_receiver.gets);
      SELECT f.made_by, f.approved_by, f.needs INTO v_rule FROM books.flow_rules f
      WHERE f.purpose = v_purpose AND f.payer = v_payer.owner AND f.receiver = v_receiver.owner AND f.scope = v_payer.scope;
      IF NOT FOUND THEN
        PERFORM books.refuse(
          'the flow rules do not allow ' || v_payer.owner || ' → ' || v_receiver.owner || ' (' || v_payer.asset || ', ' || v_payer.scope
          || ') for the purpose ' || coalesce(v_purpose, '(none)'), 'batch ' || p_key,
          'see `junbikin books flows` for what may be paid, by whom and to whom');
      END IF;
      IF NOT v_rule.made_by && v_roles THEN
        PERFORM books.refuse(coalesce(p_maker->>'name', 'nobody') || ' has no role that may make this', 'batch ' || p_key || ', purpose ' || v_purpose,
          'let one of ' || array_to_string(v_rule.made_by, ', ') || ' do it');
      END IF;
      IF v_rule.needs <> '{}' THEN PERFORM books.check_needs(p_key, v_content, v_rule.needs, v_payer.asset, p_accounts, p_amounts); END IF;
      IF v_rule.approved_by <> '{}' THEN v_approvers := v_approvers || array_to_string(v_rule.approved_by, ','); END IF;
    END LOOP;
    IF v_sum <> 0 THEN
      PERFORM books.refuse('the batch does not balance in ' || v_payer.asset, 'batch ' || p_key,
        'what is paid and what is received must be equal, asset by asset');
    END IF;
  END LOOP;
  IF v_rule IS NULL THEN
    PERFORM books.refuse('the batch moves nothing', 'batch ' || p_key, 'give amounts other than 0');
  END IF;
  IF v_all.overdrawn THEN PERFORM books.refuse_overdrawn(p_key, p_accounts, p_amounts); END IF;
  IF v_approvers <> '{}' OR p_request IS NOT NULL THEN
    PERFORM books.check_approval(p_key, p_effective_at, p_content, p_accounts, p_amounts, p_request, v_approvers);
  END IF;
  v_id := books.write_record(v_id, v_next.strand, v_next.link, v_next.previous, v_next.recorded_at, 'batch',
    CASE v_purpose WHEN 'release' THEN v_content->>'position' WHEN 'compensation' THEN v_content->>'plan' END, p_key, v_effective, p_by, p_why, p_request,
    p_content, p_accounts, p_amounts, v_entries);
  IF v_all.opens THEN
    UPDATE books.accounts a SET lanes = a.lanes + 1 FROM books.balances b
    WHERE b.account = a.id AND b.lane = a.lanes AND a.id = ANY (p_accounts) AND b.record = v_id;
  END IF;
  IF v_all.late THEN PERFORM books.check_late(p_key, v_effective, p_accounts, p_amounts); END IF;
  RETURN v_id;
END $$;

-- Posts a batch: the application's way in. The same key with the same content again gives the record that is there already.
CREATE OR REPLACE FUNCTION books.post(
  p_person text, p_secret bytea, p_key text, p_effective_at timestamptz, p_why text, p_content text, p_accounts bigint[],
  p_amounts numeric[], p_request bigint DEFAULT NULL
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = books, pg_temp SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET work_mem = '64MB' AS $$
DECLARE
  v_maker jsonb := books.person(p_person, p_secret);
  v_locked boolean := books.lock_key(p_key);
  v_known bigint := books.posted(p_key, p_effective_at, p_content, p_accounts, p_amounts);
BEGIN
  IF v_known IS NOT NULL THEN RETURN v_known; END IF;
  IF starts_with(p_key, 'payout') THEN PERFORM books.refuse_payout(p_key); END IF;
  IF p_request IS NOT NULL THEN  -- what was approved may be posted by anyone who acts, within the roles of who asked for it
    IF books.roles_of(v_maker) && '{auditor,supervisor}' THEN
      PERFORM books.refuse(p_person || ' only reads', 'batch ' || p_key, 'let a reserve_officer post it');
    END IF;
    SELECT books.latest('person', recorded_by) INTO v_maker FROM books.records WHERE id = p_request AND kind = 'request';
  END IF;
  RETURN books.post_batch(v_maker, p_person, p_key, p_effective_at, p_why, p_content, p_accounts, p_amounts, p_request);
END $$;

-- Keys of payouts are those of their results: `record_result` alone posts them.
CREATE OR REPLACE FUNCTION books.refuse_payout(p_key text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF p_key ~ '^payout(_return)?:' THEN
    PERFORM books.refuse('a payout is posted with its result', 'batch ' || p_key, 'bring results in with `junbikin incident results`, or use another key');
  END IF;
END $$;

-- Whoever else posts or asks under this key waits from here on, and then finds it there.
CREATE OR REPLACE FUNCTION books.lock_key(p_key text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF NOT pg_try_advisory_xact_lock(7108, hashtext(p_key)) THEN PERFORM pg_advisory_xact_lock(7108, hashtext(p_key)); END IF;
  RETURN true;
END $$;

-- The record of a key, if it says just this; NULL when the key is new. Another content under a known key is refused.
CREATE OR REPLACE FUNCTION books.posted(
  p_key text, p_effective_at timestamptz, p_content text, p_accounts bigint[], p_amounts numeric[]
) RETURNS bigint LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_known record;
BEGIN
  PERFORM 1 FROM books.records WHERE kind = 'batch' AND key = p_key;
  IF NOT FOUND THEN RETURN NULL; END IF;
  SELECT id, effective_at, content, accounts, amounts INTO v_known FROM books.records WHERE kind = 'batch' AND key = p_key;
  IF (v_known.content, v_known.accounts, v_known.amounts) IS DISTINCT FROM (p_content, p_accounts, p_amounts)
      OR v_known.effective_at <> p_effective_at THEN
    PERFORM books.refuse('the key ' || p_key || ' was posted already, with other content', 'record ' || v_known.id,
      'use a new key for a new batch, or repeat the old one as it was');
  END IF;
  RETURN v_known.id;
END $$;
