-- Four eyes: a request by one person takes effect when another approves it, once.

-- Asks for something that needs a second person. The content names its `action`: `post`, or one of `books.actions`.
CREATE OR REPLACE FUNCTION books.request(p_person text, p_secret bytea, p_key text, p_why text, p_content text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
  v_person jsonb := books.person(p_person, p_secret);
  v_content jsonb := books.said(p_content);
  v_locked boolean := books.lock_key('request:' || p_key);
  v_known record;
  v_action record;
  v_inline jsonb;
  v_makers text[];
BEGIN
  SELECT id, content INTO v_known FROM books.records WHERE kind = 'request' AND key = p_key;
  IF FOUND THEN
    IF v_known.content <> p_content THEN
      PERFORM books.refuse('the key ' || p_key || ' was asked for already, with other content', 'request ' || v_known.id, 'use a new key');
    END IF;
    RETURN v_known.id;
  END IF;
  IF v_content->>'action' = 'post' THEN
    IF books.roles_of(v_person) && '{auditor,supervisor}' THEN
      PERFORM books.refuse(p_person || ' only reads', 'person ' || quote_literal(p_person), 'let a reserve_officer ask for it');
    END IF;
    IF jsonb_typeof(v_content->'batches') IS DISTINCT FROM 'object' THEN
      PERFORM books.refuse('a request to post names its batches', 'request ' || p_key, 'give {"batches": {key: digest}}');
    END IF;
    v_inline := v_content->'inline';
    IF v_inline IS NOT NULL AND (jsonb_typeof(v_inline) <> 'object' OR v_content->'batches'->>(v_inline->>'key') IS NULL) THEN
      PERFORM books.refuse('a batch that a request brings with it is one of its batches', 'request ' || p_key, 'name its key and digest in "batches"');
    END IF;
    IF v_inline IS NOT NULL AND EXISTS (SELECT 1 FROM books.records WHERE kind = 'batch' AND key = v_inline->>'key') THEN
      PERFORM books.refuse('the key ' || (v_inline->>'key') || ' was posted already', 'request ' || p_key, 'use a new key for a new batch');
    END IF;
    -- Whoever could never make it does not hold its key against whoever can.
    IF v_inline->>'content' IS NOT NULL THEN
      SELECT array_agg(DISTINCT role ORDER BY role) INTO v_makers
      FROM books.flow_rules f, unnest(f.made_by) role WHERE f.purpose = books.said(v_inline->>'content')->>'purpose';
    END IF;
    IF NOT v_makers && books.roles_of(v_person) THEN
      PERFORM books.refuse(p_person || ' has no role that may ask for this', 'batch ' || (v_inline->>'key'),
        'let one of ' || array_to_string(v_makers, ', ') || ' ask for it');
    END IF;
  ELSE
    SELECT * INTO v_action FROM books.actions WHERE action = v_content->>'action';
    IF v_action.action IS NULL THEN
      PERFORM books.refuse('there is no action ' || coalesce(v_content->>'action', '(none)'), 'request ' || p_key,
        'the actions are post, ' || (SELECT string_agg(action, ', ' ORDER BY action) FROM books.actions));
    END IF;
    IF NOT v_action.made_by && books.roles_of(v_person) THEN
      PERFORM books.refuse(p_person || ' has no role that may ask for this', 'action ' || v_action.action,
        'let one of ' || array_to_string(v_action.made_by, ', ') || ' ask for it');
    END IF;
    PERFORM books.check_subject(v_content->>'action', v_content->>'subject', v_content->'says', v_content->>'effective_at');
  END IF;
  RETURN books.append('request', v_content->>'action', p_key, NULL, p_person, p_why, NULL, p_content);
END $$;

-- Refuses what a record of a kind could never say.
CREATE OR REPLACE FUNCTION books.check_subject(p_action text, p_subject text, p_says jsonb, p_effective_at text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF coalesce(p_subject, '') = '' OR length(p_subject) > 200 OR p_subject ~ '[[:cntrl:]]' OR jsonb_typeof(p_says) IS DISTINCT FROM 'object' THEN
    PERFORM books.refuse('the request does not say of what, or what', 'action ' || p_action, 'name a subject, on one line, and what to record of it');
  END IF;
  IF p_action IN ('place', 'provider', 'paying_bank', 'insurer', 'policy') AND NOT books.is_name(p_subject, 64) THEN
    PERFORM books.refuse('this is no name: ' || p_subject, 'action ' || p_action, 'choose one of 1 to 64 visible characters without "/"');
  END IF;
  IF p_action IN ('address', 'token') AND p_subject !~ '^[a-z][a-z-]*(:[0-9]+)?:[0-9A-Za-z._-]+$' THEN
    PERFORM books.refuse('this is on no network: ' || p_subject, 'action ' || p_action, 'write it as NETWORK:ADDRESS, or NETWORK:ASSET');
  END IF;
  -- Who someone is and whether an account is open hold from when they are recorded: dated ahead they would outlast every later word.
  IF p_effective_at IS NOT NULL AND p_action IN ('person', 'account_status', 'asset_status', 'dispute', 'withdrawal') THEN
    PERFORM books.refuse('this holds from its approval, at no other time', 'action ' || p_action, 'leave the effective time out');
  END IF;
  IF p_effective_at !~ '^[2-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9]{2}:[0-9]{2})$' THEN
    PERFORM books.refuse('this is no instant: ' || p_effective_at, 'action ' || p_action, 'write it as 2026-04-01T00:00:00+09:00, from the year 2000 on');
  END IF;
  IF p_action = 'person' THEN PERFORM books.check_person(p_subject, p_says); END IF;
  IF p_action = 'account_status' AND (
      NOT EXISTS (SELECT 1 FROM books.accounts WHERE code = p_subject) OR p_says->>'status' IS NULL OR p_says->>'status' NOT IN ('open', 'closed')) THEN
    PERFORM books.refuse('there is no such account, or no such status', 'account ' || p_subject, 'an account is opened again or closed');
  END IF;
  IF p_action = 'asset_status' AND (p_says <> '{"status": "open"}' OR NOT books.is_frozen(p_subject)) THEN
    PERFORM books.refuse('there is no frozen asset ' || p_subject || ', or no such status', 'asset ' || p_subject, 'an asset that is frozen is opened again');
  END IF;
  IF p_action = 'dispute' THEN PERFORM books.check_dispute(p_subject, p_says); END IF;
  IF p_action = 'withdrawal' THEN PERFORM books.check_withdrawal(p_subject, p_says); END IF;
END $$;

-- Approves or refuses a request; what is approved takes effect in the same instant. A request is decided once.
CREATE OR REPLACE FUNCTION books.decide(p_person text, p_secret bytea, p_request bigint, p_verdict text, p_why text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp SET timezone = 'UTC' SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET work_mem = '64MB' AS $$
DECLARE
  v_person jsonb := books.person(p_person, p_secret);
  v_request record;
  v_decided record;
  v_action record;
  v_inline jsonb;
  v_says jsonb;
  v_known bigint;
  v_accounts bigint[];
  v_amounts numeric[];
BEGIN
  IF p_verdict IS NULL OR p_verdict NOT IN ('approve', 'refuse') THEN
    PERFORM books.refuse('a verdict is approve or refuse', 'request ' || p_request, 'say one of the two');
  END IF;
  SELECT id, recorded_by, key, why, content, content::jsonb AS says INTO v_request FROM books.records WHERE id = p_request AND kind = 'request';
  IF NOT FOUND THEN
    PERFORM books.refuse('there is no request ' || p_request, '', 'see `junbikin request list`');
  END IF;
  PERFORM pg_advisory_xact_lock(7104, (p_request % 2147483647)::int);
  SELECT recorded_by, recorded_at, content::jsonb->>'verdict' AS verdict INTO v_decided FROM books.records WHERE kind = 'decision' AND key = p_request::text;
  IF FOUND THEN
    PERFORM books.refuse('request ' || p_request || ' was decided already: ' || CASE v_decided.verdict WHEN 'approve' THEN 'approved' ELSE 'refused' END || ' by ' || v_decided.recorded_by,
      'decided ' || books.instant(v_decided.recorded_at), 'see `junbikin request show ' || p_request || '`');
  END IF;
  IF v_request.recorded_by = p_person AND p_verdict = 'approve' THEN
    PERFORM books.refuse('nobody approves their own request', 'request ' || p_request || ' by ' || p_person, 'let someone else approve it');
  END IF;
  IF books.roles_of(v_person) && '{auditor,supervisor}' THEN
    PERFORM books.refuse(p_person || ' only reads', 'request ' || p_request, 'let an approver decide');
  END IF;
  SELECT * INTO v_action FROM books.actions WHERE action = v_request.says->>'action';
  IF v_action.action IS NOT NULL AND v_request.recorded_by <> p_person AND NOT v_action.approved_by && books.roles_of(v_person) THEN
    PERFORM books.refuse(p_person || ' has no role that may decide this', 'request ' || p_request,
      'let one of ' || array_to_string(v_action.approved_by, ', ') || ' decide');
  END IF;
  IF v_action.action IS NULL AND v_request.recorded_by <> p_person AND NOT 'approver' = ANY (books.roles_of(v_person)) THEN
    PERFORM books.refuse(p_person || ' has no role that may decide this', 'request ' || p_request, 'let an approver decide');
  END IF;
  IF v_action.action IS NOT NULL AND p_verdict = 'approve' AND NOT v_action.made_by && books.roles_of(books.latest('person', v_request.recorded_by)) THEN
    PERFORM books.refuse(v_request.recorded_by || ' has no longer a role that may ask for this', 'request ' || p_request, 'refuse it, and let someone else ask');
  END IF;

  -- Locks are taken in one order: requests and people, keys, accounts, the strand. The strand comes with the first record.
  IF v_action.action = 'person' THEN PERFORM pg_advisory_xact_lock(7102); END IF;
  IF v_action.action = 'account_status' THEN
    PERFORM books.lock_accounts(ARRAY(SELECT id FROM books.accounts WHERE code = v_request.says->>'subject'));
  END IF;
  IF p_verdict = 'approve' AND v_action.action IN ('asset_status', 'dispute') THEN
    PERFORM books.lock_key(v_action.action || ':' || (v_request.says->>'subject'));
    IF v_action.action = 'asset_status' THEN PERFORM books.lock_all_accounts(); END IF;
    PERFORM books.check_subject(v_action.action, v_request.says->>'subject', v_request.says->'says', v_request.says->>'effective_at');
  END IF;
  v_inline := CASE WHEN p_verdict = 'approve' THEN v_request.says->'inline' END;
  IF v_inline IS NOT NULL THEN
    SELECT array_agg(a::bigint ORDER BY o) INTO v_accounts FROM jsonb_array_elements_text(v_inline->'accounts') WITH ORDINALITY x(a, o);
    SELECT array_agg(a::numeric ORDER BY o) INTO v_amounts FROM jsonb_array_elements_text(v_inline->'amounts') WITH ORDINALITY x(a, o);
    PERFORM books.lock_key(v_inline->>'key'), books.lock_accounts(v_accounts);
  END IF;
  PERFORM books.append('decision', p_request::text, p_request::text, NULL, p_person, p_why, p_request,
    jsonb_build_object('request', p_request, 'verdict', p_verdict)::text);
  IF p_verdict = 'refuse' THEN RETURN NULL; END IF;

  IF v_action.action IS NULL THEN
    IF v_inline IS NULL THEN RETURN NULL; END IF;  -- its batches are posted later, each as approved
    v_known := books.posted(v_inline->>'key', (v_inline->>'effective_at')::timestamptz, v_inline->>'content', v_accounts, v_amounts);
    IF v_known IS NOT NULL THEN RETURN v_known; END IF;  -- somebody posted just this meanwhile
    PERFORM books.refuse_payout(v_inline->>'key');
    RETURN books.post_batch(books.latest('person', v_request.recorded_by), v_request.recorded_by, v_inline->>'key', (v_inline->>'effective_at')::timestamptz,
      v_request.why, v_inline->>'content', v_accounts, v_amounts, p_request);
  END IF;
  IF v_action.action = 'account_status' THEN
    IF v_request.says->'says'->>'status' = 'closed' AND EXISTS (
        SELECT 1 FROM books.accounts a WHERE a.code = v_request.says->>'subject' AND books.balance(a.id) <> 0) THEN
      PERFORM books.refuse('an account that holds something is not closed', 'account ' || (v_request.says->>'subject'), 'empty it first');
    END IF;
    UPDATE books.accounts SET status = v_request.says->'says'->>'status' WHERE code = v_request.says->>'subject';
  END IF;
  v_says := v_request.says->'says';
  IF v_action.action = 'person' AND NOT v_says ? 'verifier' THEN
    SELECT v_says || jsonb_build_object('verifier', p->'verifier', 'argon2', p->'argon2') INTO v_says
    FROM books.latest('person', v_request.says->>'subject') p;
  END IF;
  RETURN books.append(v_action.action, v_request.says->>'subject', 'request:' || p_request,
    (v_request.says->>'effective_at')::timestamptz, v_request.recorded_by, v_request.why, p_request, v_says::text);
END $$;

-- Opens accounts: [{"owner": …, "asset": …, "place": …, "holder": …}, …]. Those that are there already are left alone.
CREATE OR REPLACE FUNCTION books.open_accounts(p_person text, p_secret bytea, p_why text, p_accounts text) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
  v_person jsonb := books.person(p_person, p_secret);
  v_bad record;
  v_count int;
  v_record bigint;
  v_fresh jsonb;
BEGIN
  IF books.roles_of(v_person) && '{auditor,supervisor}' THEN
    PERFORM books.refuse(p_person || ' only reads', 'person ' || quote_literal(p_person), 'let a reserve_officer open accounts');
  END IF;
  IF jsonb_array_length(p_accounts::jsonb) > 10000 THEN
    PERFORM books.refuse('at most 10,000 accounts are opened at once', '', 'open them in several turns');
  END IF;
  PERFORM pg_advisory_xact_lock(7105);
  SELECT a.* INTO v_bad FROM jsonb_to_recordset(p_accounts::jsonb) a(owner text, asset text, place text, holder text)
  WHERE NOT EXISTS (SELECT 1 FROM books.owners o WHERE o.owner = a.owner)
    OR (a.asset ~ '^[A-Z0-9][A-Za-z0-9._-]{0,31}$') IS NOT TRUE OR books.is_name(a.place, 64) IS NOT TRUE
    OR books.is_name(coalesce(nullif(a.holder, ''), '-'), 64) IS NOT TRUE LIMIT 1;
  IF FOUND THEN
    PERFORM books.refuse('this is no account: ' || concat_ws('/', v_bad.owner, v_bad.asset, v_bad.place, v_bad.holder), '',
      'an account is owner/asset/place or owner/asset/place/holder; the owners are ' || (SELECT string_agg(owner, ', ' ORDER BY owner) FROM books.owners));
  END IF;
  SELECT a.* INTO v_bad FROM jsonb_to_recordset(p_accounts::jsonb) a(owner text, asset text, place text, holder text)
  WHERE a.owner IN ('reserve', 'guarantee') AND a.place <> 'booked' AND books.latest('place', a.place, clock_timestamp()) IS NULL LIMIT 1;
  IF FOUND THEN
    PERFORM books.refuse('the place ' || v_bad.place || ' is not registered', concat_ws('/', v_bad.owner, v_bad.asset, v_bad.place),
      'register it with `junbikin registry set place` and have it approved: whether its assets count depends on it');
  END IF;
  WITH asked AS (
    SELECT DISTINCT concat_ws('/', a.owner, a.asset, a.place, nullif(a.holder, '')) AS code, a.owner, a.asset, a.place, nullif(a.holder, '') AS holder
    FROM jsonb_to_recordset(p_accounts::jsonb) a(owner text, asset text, place text, holder text))
  SELECT jsonb_agg(jsonb_build_array(nextval('books.account_numbers'), f.code, f.owner, f.asset, f.place, f.holder)), count(*) INTO v_fresh, v_count
  FROM (SELECT * FROM asked k WHERE NOT EXISTS (SELECT 1 FROM books.accounts o WHERE o.code = k.code) ORDER BY code) f;
  IF v_count = 0 THEN RETURN 0; END IF;
  v_record := books.append('account', NULL, 'accounts:' || gen_random_uuid(), NULL, p_person, p_why, NULL,
    jsonb_build_object('accounts', v_fresh)::text);
  INSERT INTO books.accounts (id, record, code, owner, asset, place, holder, may_overdraw)
  SELECT (f->>0)::bigint, v_record, f->>1, f->>2, f->>3, f->>4, f->>5, o.may_overdraw
  FROM jsonb_array_elements(v_fresh) f JOIN books.owners o ON o.owner = f->>2;
  RETURN v_count;
END $$;

-- Freezes an account at once: stopping money needs one person, moving it again two.
CREATE OR REPLACE FUNCTION books.freeze(p_person text, p_secret bytea, p_account text, p_why text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
  v_person jsonb := books.person(p_person, p_secret);
BEGIN
  IF NOT books.roles_of(v_person) && '{reserve_officer,incident_commander,administrator}' THEN
    PERFORM books.refuse(p_person || ' has no role that may freeze an account', 'account ' || p_account,
      'let a reserve_officer, an incident_commander or an administrator do it');
  END IF;
  PERFORM books.lock_accounts(ARRAY(SELECT id FROM books.accounts WHERE code = p_account));
  UPDATE books.accounts SET status = 'frozen' WHERE code = p_account AND status = 'open';
  IF NOT FOUND THEN
    PERFORM books.refuse('there is no open account ' || p_account, '', 'see `junbikin books accounts`');
  END IF;
  RETURN books.append('account_status', p_account, 'freeze:' || gen_random_uuid(), NULL, p_person, p_why, NULL, '{"status":"frozen"}');
END $$;
