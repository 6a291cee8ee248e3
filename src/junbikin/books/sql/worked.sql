-- What the program works out goes on record: positions of the reserve, custody days, reconciliations. Nobody vouches for them; each
-- names by digests what it was made from. With many breaks a reconciliation leaves their ids out (`ids` is null).

-- Puts it on record and returns its record; the same again gives the record that is there already.
CREATE OR REPLACE FUNCTION books.put_on_record(p_kind text, p_subject text, p_at timestamptz, p_content text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
  v_says jsonb := books.said(p_content);
  v_key text := v_says->>'digest';
  v_digest boolean := coalesce(v_key ~ '^[0-9a-f]{64}$', false);
  v_day boolean := coalesce(v_says->>'as_of' ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$', false);
  v_known record;
BEGIN
  IF (CASE p_kind
    WHEN 'position' THEN (jsonb_typeof(v_says->'excess') IN ('string', 'null') AND coalesce(v_says->>'excess', '0') ~ '^[0-9]{1,30}([.][0-9]{1,18})?$') IS NOT FALSE
    WHEN 'custody' THEN v_digest AND v_day
    WHEN 'reconciliation' THEN v_digest AND v_day AND p_subject = p_kind AND p_at <= clock_timestamp() AND v_says->>'list' ~ '^[0-9a-f]{64}$'
      AND v_says->>'breaks' ~ '^[0-9]{1,18}$' AND (
        jsonb_typeof(v_says->'ids') = 'null' OR jsonb_typeof(v_says->'ids') = 'array' AND jsonb_array_length(v_says->'ids')::text = v_says->>'breaks')
    END AND p_at >= '2000-01-01T00:00:00Z' AND isfinite(p_at) AND books.is_name(p_subject, 64)) IS NOT TRUE THEN
    PERFORM books.refuse('this is no ' || coalesce(p_kind, 'kind of record'), coalesce(p_kind, '') || ' ' || coalesce(v_key, ''),
      'record what `junbikin` made: a position, a custody day or a reconciliation');
  END IF;
  PERFORM pg_advisory_xact_lock(7109);
  SELECT id, content INTO v_known FROM books.records WHERE kind = p_kind AND key = v_key;
  IF v_known.content <> p_content THEN
    PERFORM books.refuse('this ' || p_kind || ' is on record with other content', 'record ' || v_known.id, 'work it out again');
  END IF;
  RETURN coalesce(v_known.id, books.append(p_kind, p_subject, v_key, p_at, session_user::text, 'worked out', NULL, p_content));
END $$;
