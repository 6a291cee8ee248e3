-- Who acts. A secret is what Argon2id makes of a password; the log holds only its SHA-256, so that neither the log nor the
-- application's role can act for a person.

-- What is on record of a person who shows the right secret.
CREATE OR REPLACE FUNCTION books.person(p_name text, p_secret bytea) RETURNS jsonb LANGUAGE plpgsql STABLE AS $$
DECLARE
  v_person jsonb := books.latest('person', p_name);
BEGIN
  IF v_person IS NULL OR p_secret IS NULL OR encode(sha256(p_secret), 'hex') <> v_person->>'verifier' THEN
    PERFORM books.refuse('no such person, or another password', 'person ' || quote_literal(p_name),
      'name the person with --as, and give the password when asked');
  END IF;
  IF NOT (v_person->>'active')::boolean THEN
    PERFORM books.refuse(p_name || ' is no longer active', 'person ' || quote_literal(p_name), 'act as someone else');
  END IF;
  RETURN v_person;
END $$;

-- What somebody may act as: none when nobody is on record, or no longer active.
CREATE OR REPLACE FUNCTION books.roles_of(p_person jsonb) RETURNS text[] LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN CASE WHEN p_person->>'active' = 'true' THEN string_to_array(translate(p_person->>'roles', '[]" ', ''), ',') ELSE '{}' END;
END $$;

-- Whether a name is one line that reads as what it is: no control, invisible or direction characters, no blanks at its ends, and
-- composed (NFC), so that two names that look the same are the same.
CREATE OR REPLACE FUNCTION books.is_name(p_name text, p_length int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN length(p_name) BETWEEN 1 AND p_length AND p_name = btrim(p_name, E' \u00a0\u3000') AND p_name IS NFC NORMALIZED
    AND p_name !~ E'[\u0001-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff/]';
END $$;

CREATE OR REPLACE FUNCTION books.check_person(p_name text, p_new jsonb) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_roles text[] := books.roles_of(p_new || '{"active": true}');
  v_known CONSTANT text[] := '{reserve_officer,approver,incident_commander,auditor,supervisor,administrator}';
BEGIN
  IF (p_name = p_new->>'name' AND books.is_name(p_name, 64) AND p_name !~ E'[[:space:]\u00a0\u3000]') IS NOT TRUE THEN
    PERFORM books.refuse('a person''s name has 1 to 64 characters and no blanks', 'person ' || quote_literal(p_name),
      'choose a short name, such as ada');
  END IF;
  IF jsonb_typeof(p_new->'roles') IS DISTINCT FROM 'array' OR cardinality(v_roles) = 0 OR NOT p_new->'roles' <@ to_jsonb(v_known) THEN
    PERFORM books.refuse('a person has one or more roles', 'person ' || quote_literal(p_name),
      'the roles are ' || array_to_string(v_known, ', '));
  END IF;
  IF v_roles && '{auditor,supervisor}' AND NOT v_roles <@ '{auditor,supervisor}' THEN
    PERFORM books.refuse('auditor and supervisor only read: they go with no other role', 'person ' || quote_literal(p_name),
      'give that role to someone else');
  END IF;
  -- Someone on record whose password is left out keeps the one they have when this takes effect.
  IF (p_new->>'verifier' ~ '^[0-9a-f]{64}$' AND jsonb_typeof(p_new->'argon2') = 'object'
      OR NOT p_new ?| '{verifier,argon2}' AND books.latest('person', p_name) IS NOT NULL) IS NOT TRUE
      OR jsonb_typeof(p_new->'active') IS DISTINCT FROM 'boolean' THEN
    PERFORM books.refuse('a person needs a password', 'person ' || quote_literal(p_name), 'add people with `junbikin people add`');
  END IF;
END $$;

-- The first two people: nobody is there yet to approve them. Ends for good with the second.
CREATE OR REPLACE FUNCTION books.found_person(p_name text, p_why text, p_content text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
  v_new jsonb := books.said(p_content);
  v_roles text[] := books.roles_of(v_new);
  v_first jsonb;
  v_count int;
BEGIN
  PERFORM pg_advisory_xact_lock(7102);  -- whatever is said of people is said one after the other
  SELECT count(*), min(content)::jsonb INTO v_count, v_first FROM books.records WHERE kind = 'person';
  PERFORM books.check_person(p_name, v_new);
  IF v_count >= 2 THEN
    PERFORM books.refuse('the books have their first two people: others are added by request', 'person ' || quote_literal(p_name),
      'ask for it with `junbikin people add --as NAME`, and let someone else approve it');
  END IF;
  IF v_roles = '{}' OR v_roles && '{auditor,supervisor}' OR (v_count = 1 AND (
      v_first->>'name' = p_name OR NOT ('approver' = ANY (v_roles) OR 'approver' = ANY (books.roles_of(v_first))))) THEN
    PERFORM books.refuse('the first two people must be able to act, and one of them to approve what the other asks for',
      'person ' || quote_literal(p_name), 'add a reserve_officer and an approver first');
  END IF;
  RETURN books.append('person', p_name, 'founding:' || p_name, NULL, p_name, p_why, NULL, p_content);
END $$;

-- A new password for oneself; nothing else changes.
CREATE OR REPLACE FUNCTION books.change_secret(p_name text, p_secret bytea, p_why text, p_content text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = books, pg_temp AS $$
DECLARE
  v_old jsonb;
BEGIN
  PERFORM pg_advisory_xact_lock(7102);
  v_old := books.person(p_name, p_secret);
  PERFORM books.check_person(p_name, books.said(p_content));
  IF v_old - 'verifier' - 'argon2' <> p_content::jsonb - 'verifier' - 'argon2' THEN
    PERFORM books.refuse('only the password can be changed by oneself', 'person ' || quote_literal(p_name),
      'ask for the rest with `junbikin people change`');
  END IF;
  RETURN books.append('person', p_name, 'secret:' || p_name || ':' || gen_random_uuid(), NULL, p_name, p_why, NULL, p_content);
END $$;
