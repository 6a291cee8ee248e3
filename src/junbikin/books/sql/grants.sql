-- What the application's role may do: read everything, and call the functions that check for themselves. Nothing else.
-- :app is the role's name. Of the functions that it may call as itself none declares a variable: a variable's type is looked up
-- in the caller's search path once, and then kept when the same function serves the owner.

DO $$ BEGIN
  IF pg_has_role(':app'::regrole, current_user, 'MEMBER') THEN
    PERFORM books.refuse('the role :app may do all that the owner of the books may', 'the setting database',
      'give the application a role of its own: no superuser, and no member of the owner');
  END IF;
END $$;

REVOKE ALL ON SCHEMA books FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA books FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA books FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA books FROM PUBLIC;
REVOKE ALL ON SCHEMA books FROM :app;
REVOKE ALL ON ALL TABLES IN SCHEMA books FROM :app;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA books FROM :app;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA books FROM :app;
GRANT USAGE ON SCHEMA books TO :app;
GRANT SELECT ON ALL TABLES IN SCHEMA books TO :app;
GRANT EXECUTE ON FUNCTION
  books.post, books.request, books.decide, books.open_accounts, books.freeze, books.put_on_record, books.found_person,
  books.treat_break, books.tell_incident, books.freeze_asset, books.file_dispute, books.entitle, books.pay_out, books.record_result,
  books.change_secret, books.balance, books.batch_digest, books.batch_digest_hex, books.record_digest, books.entries_digest, books.instant
TO :app;
