-- What the application's role may do: read everything, and call the functions that check for themselves. Nothing else.
-- :app is the role's name.

REVOKE ALL ON SCHEMA books FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA books FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA books FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA books FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA books FROM :app;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA books FROM :app;
GRANT USAGE ON SCHEMA books TO :app;
GRANT SELECT ON ALL TABLES IN SCHEMA books TO :app;
GRANT EXECUTE ON FUNCTION
  books.post, books.request, books.decide, books.open_accounts, books.freeze, books.record_position, books.found_person,
  books.change_secret, books.balance, books.batch_digest, books.batch_digest_hex, books.record_digest, books.entries_digest, books.instant, books.latest
TO :app;
