-- What people do about the breaks (差異) that recorded reconciliations show: assign, explain, close. Nothing is repaired here.

-- Puts on record what a person does about a break: {"act": "assign", "since": …, "to": …}, or the acts explain and close. A break is
-- one from the day `since` when it appeared; it is closed when it is gone, was explained, and by someone else than who explained it.
CREATE OR REPLACE FUNCTION books.treat_break(p_person text, p_secret bytea, p_break text, p_why text, p_content text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
  v_person jsonb := books.person(p_person, p_secret);
  v_says jsonb := books.said(p_content);
  v_act text := v_says->>'act';
  v_newest jsonb;
  v_last record;
BEGIN
  IF NOT books.roles_of(v_person) && '{reserve_officer,approver,incident_commander,administrator}' THEN
    PERFORM books.refuse(p_person || ' only reads', 'break ' || p_break, 'let a reserve_officer do it');
  END IF;
  IF (p_break ~ '^[0-9a-f]{20}$' AND v_act IN ('assign', 'explain', 'close') AND v_says->>'since' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'
      AND v_says - '{act,since,to}'::text[] = '{}' AND v_says ? 'to' = (v_act = 'assign')) IS NOT TRUE THEN
    PERFORM books.refuse('this says nothing of a break', 'break ' || p_break, 'assign, explain or close one with `junbikin custody break`');
  END IF;
  IF v_act = 'assign' AND NOT books.roles_of(books.latest('person', v_says->>'to')) && '{reserve_officer,approver,incident_commander,administrator}' THEN
    PERFORM books.refuse('nobody of the name ' || quote_literal(v_says->>'to') || ' could look at it', 'break ' || p_break, 'name somebody of `junbikin people` who may act');
  END IF;
  PERFORM pg_advisory_xact_lock(7109);
  v_newest := books.latest('reconciliation', 'reconciliation');
  IF v_newest IS NULL THEN
    PERFORM books.refuse('no reconciliation is on record', 'break ' || p_break, 'put one on record with `junbikin custody reconcile --record`');
  END IF;
  SELECT id, content::jsonb->>'act' AS act INTO v_last FROM books.records
  WHERE kind = 'break' AND subject = p_break AND content::jsonb->>'since' = v_says->>'since' ORDER BY recorded_at DESC LIMIT 1;
  IF v_last.act = 'close' THEN
    PERFORM books.refuse('the break is closed', 'break ' || p_break || ', record ' || v_last.id, 'see `junbikin custody breaks`');
  END IF;
  IF v_act = 'close' THEN
    PERFORM books.check_closing(p_person, p_break, v_says->>'since', v_newest);
  ELSIF v_last IS NULL AND jsonb_typeof(v_newest->'ids') = 'array' AND NOT v_newest->'ids' ? p_break THEN
    PERFORM books.refuse('no such break is in the reconciliation of ' || (v_newest->>'as_of'), 'break ' || p_break, 'see `junbikin custody breaks`');
  END IF;
  RETURN books.append('break', p_break, 'break:' || p_break || ':' || gen_random_uuid(), NULL, p_person, p_why, NULL, p_content);
END $$;

-- Refuses to close a break that is still there, or was not explained by somebody else.
CREATE OR REPLACE FUNCTION books.check_closing(p_person text, p_break text, p_since text, p_newest jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_explained record;
BEGIN
  IF (jsonb_typeof(p_newest->'ids') = 'array' AND NOT p_newest->'ids' ? p_break) IS NOT TRUE THEN
    PERFORM books.refuse(CASE WHEN p_newest->'ids' ? p_break THEN 'the difference is still there' ELSE 'too many breaks stand to say that this one is gone' END,
      'break ' || p_break || ', reconciliation of ' || (p_newest->>'as_of'),
      'post a correcting entry or bring the right facts in, then `junbikin custody reconcile --record`');
  END IF;
  SELECT recorded_by INTO v_explained FROM books.records
  WHERE kind = 'break' AND subject = p_break AND content::jsonb->>'since' = p_since AND content::jsonb->>'act' = 'explain' ORDER BY recorded_at DESC LIMIT 1;
  IF NOT FOUND THEN
    PERFORM books.refuse('the break was never explained', 'break ' || p_break, 'explain it first with `junbikin custody break explain`');
  END IF;
  IF v_explained.recorded_by = p_person THEN
    PERFORM books.refuse('nobody closes what they explained themselves', 'break ' || p_break || ' explained by ' || p_person, 'let someone else close it');
  END IF;
END $$;
