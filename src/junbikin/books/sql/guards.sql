-- The past is only added to, whoever connects: the tables refuse changes by themselves.

CREATE OR REPLACE FUNCTION books.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM books.refuse(
    lower(TG_OP) || ' of ' || TG_TABLE_NAME || ' is refused: the past is only added to', 'books.' || TG_TABLE_NAME,
    'post a reversal, or record what is right from now on');
  RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON books.records
  FOR EACH STATEMENT EXECUTE FUNCTION books.refuse_change();
CREATE OR REPLACE TRIGGER only_added_to BEFORE UPDATE OR DELETE OR TRUNCATE ON books.balances
  FOR EACH STATEMENT EXECUTE FUNCTION books.refuse_change();
CREATE OR REPLACE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON books.accounts
  FOR EACH STATEMENT EXECUTE FUNCTION books.refuse_change();
CREATE OR REPLACE TRIGGER never_another BEFORE UPDATE ON books.accounts
  FOR EACH ROW WHEN (
    (OLD.id, OLD.record, OLD.code, OLD.owner, OLD.asset, OLD.place, OLD.holder, OLD.may_overdraw)
    IS DISTINCT FROM (NEW.id, NEW.record, NEW.code, NEW.owner, NEW.asset, NEW.place, NEW.holder, NEW.may_overdraw)
    OR NEW.lanes < OLD.lanes)
  EXECUTE FUNCTION books.refuse_change();
CREATE OR REPLACE TRIGGER never_removed BEFORE DELETE OR TRUNCATE ON books.strands
  FOR EACH STATEMENT EXECUTE FUNCTION books.refuse_change();
CREATE OR REPLACE TRIGGER never_back BEFORE UPDATE ON books.strands
  FOR EACH ROW WHEN (NEW.strand <> OLD.strand OR NEW.length <> OLD.length + 1 OR NEW.recorded_at < OLD.recorded_at)
  EXECUTE FUNCTION books.refuse_change();

CREATE OR REPLACE TRIGGER stands BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON books.flow_rules
  FOR EACH STATEMENT EXECUTE FUNCTION books.refuse_change();
CREATE OR REPLACE TRIGGER stands BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON books.actions
  FOR EACH STATEMENT EXECUTE FUNCTION books.refuse_change();
CREATE OR REPLACE TRIGGER stands BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON books.owners
  FOR EACH STATEMENT EXECUTE FUNCTION books.refuse_change();

-- The rules in force, as one text: what `note_rules` puts on record and `verify` compares.
CREATE OR REPLACE FUNCTION books.rules_text() RETURNS text LANGUAGE sql STABLE AS $$
  SELECT json_build_object(
    'actions', (SELECT json_agg(json_build_array(action, made_by, approved_by) ORDER BY action COLLATE "C") FROM books.actions),
    'flow_rules', (SELECT json_agg(json_build_array(purpose, payer, receiver, scope, made_by, approved_by, needs)
      ORDER BY purpose COLLATE "C", payer COLLATE "C", receiver COLLATE "C", scope COLLATE "C") FROM books.flow_rules),
    'owners', (SELECT json_agg(json_build_array(owner, may_overdraw) ORDER BY owner COLLATE "C") FROM books.owners))::text
$$;

-- Puts the rules on record when they are not those last recorded.
CREATE OR REPLACE FUNCTION books.note_rules() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_rules text := books.rules_text();
  v_last text;
  v_count bigint;
BEGIN
  SELECT content INTO v_last FROM books.records WHERE kind = 'rules' ORDER BY recorded_at DESC LIMIT 1;
  IF v_last IS DISTINCT FROM v_rules THEN
    SELECT count(*) INTO v_count FROM books.records WHERE kind = 'rules';
    PERFORM books.append('rules', 'rules', 'rules:' || v_count + 1, NULL, session_user::text, 'rules of this version', NULL, v_rules);
  END IF;
END $$;
