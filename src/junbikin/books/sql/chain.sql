-- The log: every record follows another. Nothing here is called by the application's role.

CREATE OR REPLACE FUNCTION books.refuse(what text, place text, next text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = 'JB001', MESSAGE = coalesce(what, 'this is refused'), DETAIL = coalesce(place, ''), HINT = next;
END $$;

-- An instant as records write it: UTC, microseconds.
CREATE OR REPLACE FUNCTION books.instant(at timestamptz) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
END $$;

-- SHA-256 of a batch's entries: the accounts joined by commas, a line end, the amounts joined by commas. A NULL, which no batch
-- has, would show.
CREATE OR REPLACE FUNCTION books.entries_digest(accounts bigint[], amounts numeric[]) RETURNS bytea
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN sha256(convert_to(array_to_string(accounts, ',', 'NULL') || E'\n' || array_to_string(amounts, ',', 'NULL'), 'UTF8'));
END $$;

-- SHA-256 of a record: of the digest before it and of everything that it says, a line each, the content last.
CREATE OR REPLACE FUNCTION books.record_digest(
  previous bytea, id bigint, strand int, link bigint, kind text, subject text, key text, effective_at timestamptz,
  recorded_at timestamptz, recorded_by text, why text, request bigint, entries bytea, content text
) RETURNS bytea LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
  RETURN sha256(convert_to(
    'junbikin-record-1' || E'\n' || encode(previous, 'hex') || E'\n' || id || E'\n' || strand || E'\n' || link
    || E'\n' || kind || E'\n' || coalesce(subject, '') || E'\n' || key || E'\n' || books.instant(effective_at)
    || E'\n' || books.instant(recorded_at) || E'\n' || recorded_by || E'\n' || why || E'\n' || coalesce(request::text, '')
    || E'\n' || coalesce(encode(entries, 'hex'), '') || E'\n' || content, 'UTF8'));
END $$;

-- The strand that a record will be on, and the time at which it is recorded: later than that of the record before it on
-- the strand. The strand stays locked until the transaction ends; another writer takes another strand, so that writers do
-- not wait for each other's disk.
CREATE OR REPLACE FUNCTION books.next_link(OUT strand int, OUT link bigint, OUT previous bytea, OUT recorded_at timestamptz)
LANGUAGE plpgsql AS $$
DECLARE
  v_before timestamptz;
  c_strands CONSTANT int := 16;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    -- An older snapshot would not show what others posted before this transaction had its locks.
    PERFORM books.refuse('the books are written under READ COMMITTED only', 'this transaction is ' || current_setting('transaction_isolation'),
      'begin it with another isolation level');
  END IF;
  -- What is acknowledged is on disk, whatever the server or the session has as its default.
  IF current_setting('synchronous_commit') = 'off' THEN PERFORM set_config('synchronous_commit', 'on', true); END IF;
  strand := 0;
  FOR turn IN 1..c_strands LOOP
    EXIT WHEN pg_try_advisory_xact_lock(7101, strand);
    strand := (strand + 1) % c_strands;
    IF turn = c_strands THEN PERFORM pg_advisory_xact_lock(7101, strand); END IF;
  END LOOP;
  SELECT s.length + 1, s.head, s.recorded_at INTO link, previous, v_before FROM books.strands s WHERE s.strand = next_link.strand;
  recorded_at := clock_timestamp();
  IF recorded_at <= v_before THEN PERFORM books.refuse_clock(recorded_at, v_before); END IF;
END $$;

CREATE OR REPLACE FUNCTION books.refuse_clock(p_now timestamptz, p_before timestamptz) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM books.refuse('the clock of the database went back: it stands at ' || books.instant(p_now),
    'the last record is of ' || books.instant(p_before), 'set the clock of the database server right, or wait until it has passed, then try again');
END $$;

-- Adds a record to the strand that `next_link` gave. Returns its number.
CREATE OR REPLACE FUNCTION books.write_record(
  p_id bigint, p_strand int, p_link bigint, p_previous bytea, p_recorded_at timestamptz, p_kind text, p_subject text,
  p_key text, p_effective_at timestamptz, p_recorded_by text, p_why text, p_request bigint, p_content text,
  p_accounts bigint[], p_amounts numeric[], p_entries bytea
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_digest bytea := books.record_digest(
    p_previous, p_id, p_strand, p_link, p_kind, p_subject, p_key, p_effective_at, p_recorded_at, p_recorded_by, p_why,
    p_request, p_entries, p_content);
BEGIN
  IF (p_key || p_why || p_recorded_by || coalesce(p_subject, '') !~ '[[:cntrl:]]' AND length(p_key) BETWEEN 1 AND 200
      AND length(p_why) BETWEEN 1 AND 1000) IS NOT TRUE THEN
    PERFORM books.refuse('a key has 1 to 200 characters, a reason 1 to 1,000, all on one line', p_kind || ' ' || p_key,
      'say why, and give it a shorter name');
  END IF;
  WITH written AS (
    INSERT INTO books.records VALUES (
      p_id, p_strand, p_link, p_kind, p_subject, p_key, p_effective_at, p_recorded_at, p_recorded_by, p_why, p_request,
      p_content, p_accounts, p_amounts, p_entries, p_previous, v_digest))
  UPDATE books.strands SET length = p_link, head = v_digest, recorded_at = p_recorded_at WHERE strand = p_strand;
  RETURN p_id;
END $$;

-- A record without entries. Returns its number.
CREATE OR REPLACE FUNCTION books.append(
  p_kind text, p_subject text, p_key text, p_effective_at timestamptz, p_by text, p_why text, p_request bigint, p_content text
) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
  v_id bigint := nextval('books.record_numbers');
  v_next record;
BEGIN
  v_next := books.next_link();
  RETURN books.write_record(
    v_id, v_next.strand, v_next.link, v_next.previous, v_next.recorded_at, p_kind, p_subject, p_key,
    coalesce(p_effective_at, v_next.recorded_at), p_by, p_why, p_request, p_content, NULL, NULL, NULL);
END $$;

-- The commas and colons of a value.
CREATE OR REPLACE FUNCTION books.separators(p_value jsonb) RETURNS bigint LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN CASE jsonb_typeof(p_value)
    WHEN 'object' THEN (SELECT greatest(0, 2 * count(*) - 1) + coalesce(sum(books.separators(v.value)), 0) FROM jsonb_each(p_value) v)
    WHEN 'array' THEN greatest(0, jsonb_array_length(p_value) - 1) + (
      SELECT coalesce(sum(books.separators(v.value)) FILTER (WHERE jsonb_typeof(v.value) IN ('object', 'array')), 0) FROM jsonb_array_elements(p_value) v)
    ELSE 0 END;
END $$;

-- What a content says. Refuses what is not one canonical JSON object: with blanks, a key twice, or another way to write a text or a
-- number, two readers could read two things.
CREATE OR REPLACE FUNCTION books.said(p_content text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
  v_says jsonb;
BEGIN
  IF length(p_content) <= 100000000 THEN v_says := p_content::jsonb; END IF;
  -- `jsonb` keeps the last of equal keys, and writes a blank after each comma and colon. Only a number with an exponent gets longer.
  IF jsonb_typeof(v_says) IS DISTINCT FROM 'object' OR length(v_says::text) <> length(p_content) + books.separators(v_says)
      OR p_content ~* '[0-9]e' AND regexp_replace(p_content, E'"([^"\\\\]|\\\\.)*"', '', 'g') ~* '[0-9]e' THEN
    PERFORM books.refuse('the content is not canonical JSON', left(p_content, 200), 'give one object as RFC 8785 writes it, with each key once');
  END IF;
  RETURN v_says;
EXCEPTION WHEN data_exception THEN
  PERFORM books.refuse('the content is not JSON: ' || SQLERRM, left(p_content, 200), 'give one object as RFC 8785 writes it');
END $$;

-- What was last said of a subject: in force at an instant, as known at another.
CREATE OR REPLACE FUNCTION books.latest(
  p_kind text, p_subject text, p_effective_at timestamptz DEFAULT 'infinity', p_known_at timestamptz DEFAULT 'infinity'
) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_content text;
BEGIN
  SELECT content INTO v_content FROM books.records
  WHERE kind = p_kind AND subject = p_subject AND effective_at <= p_effective_at AND recorded_at <= p_known_at
  ORDER BY effective_at DESC, recorded_at DESC LIMIT 1;
  RETURN v_content::jsonb;
END $$;
