-- Incidents (事故・流出事案): a timeline that only grows, assets that stand still meanwhile, and what customers dispute.

-- Whether an incident of this name was opened.
CREATE OR REPLACE FUNCTION books.is_incident(p_incident text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN EXISTS (SELECT 1 FROM books.records WHERE kind = 'incident' AND subject = p_incident);
END $$;

-- Whether a text is an amount above zero as the books write it.
CREATE OR REPLACE FUNCTION books.is_amount(p_text text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN coalesce(p_text ~ '^(0|[1-9][0-9]{0,29})([.][0-9]{0,17}[1-9])?$' AND p_text <> '0', false);
END $$;

-- Whether a text is an instant with its zone, from the year 2000 on.
CREATE OR REPLACE FUNCTION books.is_instant(p_text text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN coalesce(p_text ~ '^[2-9][0-9]{3}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?(Z|[+-][0-9]{2}:[0-9]{2})$'
    AND p_text::timestamptz IS NOT NULL, false);
EXCEPTION WHEN data_exception THEN
  RETURN false;
END $$;

-- Whether a list is one of texts that each look so.
CREATE OR REPLACE FUNCTION books.is_list(p_list jsonb, p_form text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  IF jsonb_typeof(p_list) IS DISTINCT FROM 'array' THEN RETURN false; END IF;
  RETURN NOT EXISTS (SELECT 1 FROM jsonb_array_elements(p_list) e WHERE jsonb_typeof(e) <> 'string' OR (e #>> '{}') !~ p_form);
END $$;

-- Whether this says something of an incident that can be said: the keys of its event, each in its form. Beside lists, and a value
-- that nobody knows, all are texts.
CREATE OR REPLACE FUNCTION books.is_event(p_says jsonb) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
  v_keys text[] := ARRAY(SELECT k FROM jsonb_object_keys(p_says) k ORDER BY k COLLATE "C");
BEGIN
  IF jsonb_path_exists(p_says - 'transactions' - 'value', 'strict $.* ? (@.type() <> "string")') OR jsonb_typeof(p_says->'value') NOT IN ('string', 'null') THEN
    RETURN false;
  END IF;
  RETURN coalesce(CASE p_says->>'event'
    WHEN 'opened' THEN v_keys = '{cause,event,found_at,occurred_at,title}'
      AND p_says->>'cause' IN ('hack', 'unauthorised_outflow', 'fraud', 'unlawful_act', 'clerical_error', 'system_failure')
      AND p_says->>'title' ~ '^[^[:cntrl:]]{1,200}$' AND books.is_instant(p_says->>'occurred_at') AND books.is_instant(p_says->>'found_at')
      AND (p_says->>'occurred_at')::timestamptz <= (p_says->>'found_at')::timestamptz AND (p_says->>'found_at')::timestamptz <= clock_timestamp()
    WHEN 'taken' THEN v_keys = '{asset,event,place,priced,provider,quantity,storage,transactions,value}'
      AND p_says->>'asset' ~ '^[A-Z0-9][A-Za-z0-9._-]{0,31}$' AND books.is_name(p_says->>'place', 64)
      AND (books.is_amount(p_says->>'quantity') OR p_says->>'quantity' = '0' AND p_says->>'value' = '0')
      AND p_says->>'storage' IN ('hot', 'cold', 'trust', 'bank') AND length(p_says->>'provider') <= 64 AND length(p_says->>'priced') <= 1000
      AND (jsonb_typeof(p_says->'value') = 'null' OR p_says->>'value' = '0' OR books.is_amount(p_says->>'value'))
      AND books.is_list(p_says->'transactions', '^[^[:cntrl:]]{1,200}$') AND jsonb_array_length(p_says->'transactions') <= 1000
    WHEN 'state' THEN v_keys = '{event,to}' AND p_says->>'to' IN ('opened', 'contained', 'compensating', 'closed')
    WHEN 'note' THEN v_keys = '{event,text}' AND length(p_says->>'text') BETWEEN 1 AND 10000
    WHEN 'reported' THEN v_keys = '{document,event,to,what}' AND p_says->>'to' IN ('authority', 'public', 'customers')
      AND p_says->>'what' IN ('first_notice', 'follow_up', 'permission_report', 'final', 'public_notice', 'customer_notice')
      AND p_says->>'document' ~ '^([0-9a-f]{64})?$'
    WHEN 'recovered' THEN v_keys = '{asset,event,quantity,reference,value}'
      AND p_says->>'asset' ~ '^[A-Z0-9][A-Za-z0-9._-]{0,31}$' AND books.is_amount(p_says->>'quantity')
      AND (jsonb_typeof(p_says->'value') = 'null' OR p_says->>'value' = '0' OR books.is_amount(p_says->>'value'))
      AND p_says->>'reference' ~ '^[^[:cntrl:]]{1,200}$'
    END, false);
END $$;

-- Puts one event on the timeline of an incident and returns its record. `p_at` NULL means: when it is recorded.
CREATE OR REPLACE FUNCTION books.tell_incident(
  p_person text, p_secret bytea, p_incident text, p_at timestamptz, p_why text, p_content text
) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp SET timezone = 'UTC' AS $$
DECLARE
  v_roles text[] := books.roles_of(books.person(p_person, p_secret));
  v_says jsonb := books.said(p_content);
  v_event text := v_says->>'event';
  v_at timestamptz := p_at;
  v_locked boolean;
  v_state text;
BEGIN
  IF (p_incident ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$') IS NOT TRUE THEN
    PERFORM books.refuse('this is no name of an incident: ' || coalesce(p_incident, ''), '', 'choose 1 to 64 letters, digits, dots, dashes and underlines');
  END IF;
  IF NOT books.is_event(v_says) THEN
    PERFORM books.refuse('this says nothing of an incident', 'incident ' || p_incident || ', event ' || coalesce(v_event, '(none)'),
      'tell it with `junbikin incident`');
  END IF;
  IF (CASE WHEN v_event IN ('note', 'reported') THEN v_roles && '{auditor,supervisor}' ELSE NOT 'incident_commander' = ANY (v_roles) END) THEN
    PERFORM books.refuse(p_person || ' has no role that may tell this of an incident', 'incident ' || p_incident || ', event ' || v_event,
      'let an incident_commander do it');
  END IF;
  IF v_event = 'opened' THEN v_at := (v_says->>'occurred_at')::timestamptz; END IF;
  IF v_at > clock_timestamp() OR v_at < '2000-01-01T00:00:00Z' OR v_event = 'opened' AND v_at <> p_at THEN
    PERFORM books.refuse('this is not when it was: ' || books.instant(coalesce(p_at, v_at)), 'incident ' || p_incident || ', event ' || v_event,
      'give the instant at which it happened');
  END IF;
  v_locked := books.lock_key('incident:' || p_incident);
  IF books.is_incident(p_incident) = (v_event = 'opened') THEN
    PERFORM books.refuse(CASE v_event WHEN 'opened' THEN 'the incident is opened already' ELSE 'there is no incident ' || p_incident END,
      'incident ' || p_incident, 'see `junbikin incident list`');
  END IF;
  IF v_event = 'state' THEN
    v_state := books.state_of(p_incident);
    IF (v_state, v_says->>'to') NOT IN (('opened', 'contained'), ('contained', 'compensating'), ('contained', 'closed'), ('compensating', 'closed'), ('closed', 'opened')) THEN
      PERFORM books.refuse('an incident does not go from ' || v_state || ' to ' || (v_says->>'to'), 'incident ' || p_incident,
        'the states are opened, contained, compensating, closed, and opened again');
    END IF;
  END IF;
  RETURN books.append('incident', p_incident, 'incident:' || p_incident || ':' || gen_random_uuid(), v_at, p_person, p_why, NULL, p_content);
END $$;

-- The state that an incident is in.
CREATE OR REPLACE FUNCTION books.state_of(p_incident text) RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN coalesce((
    SELECT content::jsonb->>'to' FROM books.records
    WHERE kind = 'incident' AND subject = p_incident AND content::jsonb->>'event' = 'state' ORDER BY recorded_at DESC LIMIT 1), 'opened');
END $$;

-- Freezes an asset at once: no customer's deposit, withdrawal, trade or move of it is posted until two people open it again.
CREATE OR REPLACE FUNCTION books.freeze_asset(p_person text, p_secret bytea, p_asset text, p_incident text, p_why text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
  v_roles text[] := books.roles_of(books.person(p_person, p_secret));
  v_locked boolean;
BEGIN
  IF NOT v_roles && '{reserve_officer,incident_commander,administrator}' THEN
    PERFORM books.refuse(p_person || ' has no role that may freeze an asset', 'asset ' || p_asset,
      'let a reserve_officer, an incident_commander or an administrator do it');
  END IF;
  IF (p_asset ~ '^[A-Z0-9][A-Za-z0-9._-]{0,31}$') IS NOT TRUE OR NOT books.is_incident(p_incident) THEN
    PERFORM books.refuse('there is no such asset, or no incident ' || coalesce(p_incident, '(none)'), 'asset ' || coalesce(p_asset, '(none)'),
      'name an asset by its code, and an incident that is opened: see `junbikin incident list`');
  END IF;
  v_locked := books.lock_all_accounts();
  IF books.is_frozen(p_asset) THEN
    PERFORM books.refuse('the asset ' || p_asset || ' is frozen already', '', 'see `junbikin incident list`');
  END IF;
  RETURN books.append('asset_status', p_asset, 'freeze:' || gen_random_uuid(), NULL, p_person, p_why, NULL,
    '{"incident":"' || p_incident || '","status":"frozen"}');
END $$;

-- Whether an asset is frozen.
CREATE OR REPLACE FUNCTION books.is_frozen(p_asset text) RETURNS boolean LANGUAGE plpgsql STABLE AS $$
BEGIN
  RETURN coalesce(books.latest('asset_status', p_asset)->>'status' = 'frozen', false);
END $$;

-- Whoever posts anything waits from here on: a batch is either recorded before what is done under this lock, or knows of it.
CREATE OR REPLACE FUNCTION books.lock_all_accounts() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(7100, bucket) FROM generate_series(0, 1023) bucket;
  RETURN true;
END $$;

-- Puts on record that a customer disputes what they are owed for an incident, and returns the record.
CREATE OR REPLACE FUNCTION books.file_dispute(p_person text, p_secret bytea, p_incident text, p_account text, p_why text, p_content text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
  v_roles text[] := books.roles_of(books.person(p_person, p_secret));
  v_says jsonb := books.said(p_content);
BEGIN
  IF v_roles && '{auditor,supervisor}' THEN
    PERFORM books.refuse(p_person || ' only reads', 'dispute of ' || p_account, 'let a reserve_officer file it');
  END IF;
  IF NOT books.is_incident(p_incident) THEN
    PERFORM books.refuse('there is no incident ' || coalesce(p_incident, '(none)'), 'dispute of ' || coalesce(p_account, '(none)'), 'see `junbikin incident list`');
  END IF;
  IF (p_account ~ '^[^[:cntrl:]]{1,100}$' AND v_says->>'act' = 'file' AND v_says - '{act,asset,claims,evidence,plan}'::text[] = '{}'
      AND NOT jsonb_path_exists(v_says - 'evidence', 'strict $.* ? (@.type() <> "string")') AND v_says->>'asset' ~ '^[A-Z0-9][A-Za-z0-9._-]{0,31}$'
      AND length(v_says->>'claims') BETWEEN 1 AND 1000 AND books.is_list(v_says->'evidence', '^[0-9a-f]{64}$')
      AND v_says->>'plan' ~ '^([0-9a-f]{64})?$') IS NOT TRUE THEN
    PERFORM books.refuse('this is no dispute', 'dispute of ' || coalesce(p_account, '(none)'), 'file it with `junbikin incident dispute file`');
  END IF;
  RETURN books.append('dispute', p_incident || ':' || p_account, 'dispute:' || gen_random_uuid(), NULL, p_person, p_why, NULL, p_content);
END $$;

-- Refuses a decision of a dispute that was never filed, is decided already, or adjusts what it must not.
CREATE OR REPLACE FUNCTION books.check_dispute(p_subject text, p_says jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_filed record;
BEGIN
  IF (p_says->>'act' = 'decide' AND p_says - '{act,adjustment,asset,filed,verdict}'::text[] = '{}' AND p_says->>'filed' ~ '^[1-9][0-9]{0,17}$'
      AND CASE p_says->>'verdict' WHEN 'upheld' THEN books.is_amount(p_says->>'adjustment') WHEN 'rejected' THEN p_says->>'adjustment' = '0' END) IS NOT TRUE THEN
    PERFORM books.refuse('this decides no dispute: one that is upheld adjusts by more than 0, one that is rejected by 0', 'dispute ' || p_subject,
      'decide it with `junbikin incident dispute decide`');
  END IF;
  SELECT content::jsonb AS says INTO v_filed FROM books.records WHERE id = (p_says->>'filed')::bigint AND kind = 'dispute' AND subject = p_subject;
  IF (v_filed.says->>'act' = 'file' AND v_filed.says->>'asset' = p_says->>'asset') IS NOT TRUE THEN
    PERFORM books.refuse('no dispute of this customer about this asset is on record as ' || (p_says->>'filed'), 'dispute ' || p_subject,
      'see `junbikin incident dispute list`');
  END IF;
  IF EXISTS (SELECT 1 FROM books.records WHERE kind = 'dispute' AND subject = p_subject AND content::jsonb->>'filed' = p_says->>'filed') THEN
    PERFORM books.refuse('the dispute of record ' || (p_says->>'filed') || ' is decided already', 'dispute ' || p_subject, 'let the customer file it anew, with what is new');
  END IF;
END $$;
