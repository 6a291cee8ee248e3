-- The grounds of a batch: what its flow needs beside the entries, and the approval of a second person.

-- What a flow of an asset needs beside its entries: a reference, a plan, the authority's approval, an excess over the cap, all of which
-- the batch states; and `unfrozen`, that the asset is not frozen.
CREATE OR REPLACE FUNCTION books.check_needs(
  p_key text, p_content jsonb, p_needs text[], p_asset text, p_accounts bigint[], p_amounts numeric[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_need text;
  v_undone record;
BEGIN
  FOREACH v_need IN ARRAY p_needs LOOP
    IF v_need = 'unfrozen' THEN
      IF books.is_frozen(p_asset) THEN
        PERFORM books.refuse('the asset ' || p_asset || ' is frozen', 'batch ' || p_key, 'wait until two people have opened it again: see `junbikin incident show`');
      END IF;
    ELSIF coalesce(p_content->>v_need, '') = '' THEN
      PERFORM books.refuse('the purpose ' || (p_content->>'purpose') || ' needs its ' || v_need, 'batch ' || p_key,
        'state it as ' || quote_literal(v_need));
    END IF;
  END LOOP;
  IF 'position' = ANY (p_needs) AND NOT EXISTS (SELECT 1 FROM books.records WHERE kind = 'position' AND key = p_content->>'position') THEN
    PERFORM books.refuse('no position ' || (p_content->>'position') || ' is on record', 'batch ' || p_key,
      'assess the day with `junbikin assess`, and give the digest that `junbikin reserve history --json` shows');
  END IF;
  IF 'reverses' = ANY (p_needs) THEN
    SELECT r.accounts, r.amounts, r.subject, r.content::jsonb->>'purpose' AS purpose INTO v_undone FROM books.records r
    WHERE r.kind = 'batch' AND r.id = substring(p_key from '^reversal:([1-9][0-9]{0,17})$')::bigint AND r.id::text = p_content->>'reverses';
    IF NOT FOUND OR v_undone.accounts <> p_accounts OR v_undone.purpose = 'reversal'
        OR v_undone.amounts <> ARRAY(SELECT -a FROM unnest(p_amounts) WITH ORDINALITY x(a, o) ORDER BY o) THEN
      PERFORM books.refuse('this does not undo batch ' || (p_content->>'reverses'), 'batch ' || p_key,
        'a reversal has the same accounts and opposite amounts, the key "reversal:RECORD", and is not itself undone');
    END IF;
    PERFORM books.check_undone(p_key, v_undone.purpose, v_undone.subject);
  END IF;
  IF 'permission' = ANY (p_needs) THEN PERFORM books.check_plan(p_key, p_content, p_accounts, p_amounts); END IF;
  IF 'result' = ANY (p_needs) THEN PERFORM books.check_result(p_key, p_content->>'purpose', p_content->>'result'); END IF;
  IF p_needs @> '{position,authority}' THEN PERFORM books.check_release(p_key, p_content->>'position', p_accounts, p_amounts); END IF;
END $$;

-- A release takes at most the excess of a fiscal year's end, in the currency of the position that shows it: the assets, and the
-- booked reserve likewise. What was released before and not undone counts, whichever position of that day it cited.
CREATE OR REPLACE FUNCTION books.check_release(p_key text, p_position text, p_accounts bigint[], p_amounts numeric[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
  v_shown record;
  v_excess numeric := 0;
  v_taken record;
BEGIN
  PERFORM pg_advisory_xact_lock(7103);
  SELECT effective_at, content::jsonb AS says INTO v_shown FROM books.records WHERE kind = 'position' AND key = p_position;
  IF v_shown.says->>'year_end' = 'true' THEN v_excess := coalesce((v_shown.says->>'excess')::numeric, 0); END IF;
  FOR v_taken IN
    SELECT a.place = 'booked' AS booked, -sum(e.amount) AS amount, -coalesce(sum(e.amount) FILTER (WHERE e.earlier), 0) AS earlier,
      max(a.asset) FILTER (WHERE a.asset IS DISTINCT FROM v_shown.says->>'currency') AS other
    FROM (
      SELECT unnest(p_accounts) AS account, unnest(p_amounts) AS amount, false AS earlier
      UNION ALL
      SELECT unnest(r.accounts), unnest(r.amounts), true FROM books.records p
      JOIN books.records r ON r.kind = 'batch' AND r.subject = p.key AND r.content::jsonb->>'purpose' = 'release'
      WHERE p.kind = 'position' AND p.effective_at = v_shown.effective_at
        AND NOT EXISTS (
          SELECT 1 FROM books.records u WHERE u.kind = 'batch' AND u.key = 'reversal:' || r.id AND u.content::jsonb->>'purpose' = 'reversal')) e
    JOIN books.accounts a ON a.id = e.account AND a.owner = 'reserve'
    WHERE e.amount < 0 GROUP BY a.place = 'booked'
  LOOP
    IF v_taken.amount > v_excess OR v_taken.other IS NOT NULL THEN
      PERFORM books.refuse(
        'the reserve''s excess over the cap at the year''s end was ' || CASE WHEN v_excess > 0 THEN trim_scale(v_excess)::text || ' ' || coalesce(v_shown.says->>'currency', '') ELSE '0 (or is not on record)' END
        || ', of which ' || trim_scale(v_taken.earlier) || ' is released already', 'batch ' || p_key || coalesce(', in ' || v_taken.other, ''),
        'cite the recorded position of a fiscal year''s end, and release at most its excess; convert other assets first');
    END IF;
  END LOOP;
END $$;

-- An approval: a request, by someone who may make it, approved by someone else with the right role, for just this content.
CREATE OR REPLACE FUNCTION books.check_approval(
  p_key text, p_effective_at timestamptz, p_content text, p_accounts bigint[], p_amounts numeric[], p_request bigint, p_approvers text[]
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_request record;
  v_decision record;
  v_roles text;
BEGIN
  SELECT recorded_by, content::jsonb AS content INTO v_request FROM books.records WHERE id = p_request AND kind = 'request';
  SELECT recorded_by, content::jsonb AS content INTO v_decision FROM books.records WHERE kind = 'decision' AND key = p_request::text;
  IF v_decision.content->>'verdict' IS DISTINCT FROM 'approve' THEN
    PERFORM books.refuse('this needs the approval of a second person', 'batch ' || p_key,
      'ask for it with `junbikin books post` and let someone else `junbikin request approve` it');
  END IF;
  IF v_request.content->'batches'->>p_key IS DISTINCT FROM
      encode(books.batch_digest(p_key, p_effective_at, p_content, p_accounts, p_amounts), 'hex') THEN
    PERFORM books.refuse('this is not what was approved', 'batch ' || p_key || ', request ' || p_request,
      'post what was approved, or ask for approval of this');
  END IF;
  -- The approver must still have the role when the batch is posted: who has lost it may have lost it for a reason that makes
  -- their approvals doubtful, and what is right can be approved again.
  FOREACH v_roles IN ARRAY coalesce(p_approvers, '{}') LOOP
    IF NOT string_to_array(v_roles, ',') && books.roles_of(books.latest('person', v_decision.recorded_by)) THEN
      PERFORM books.refuse(v_decision.recorded_by || ' has no role that may approve this', 'batch ' || p_key || ', request ' || p_request,
        'let one of ' || v_roles || ' approve it');
    END IF;
  END LOOP;
END $$;
