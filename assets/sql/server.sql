-- drydock: server
-- For psql -XqAt -v ON_ERROR_STOP=1 -f -. One JSON object: which server and database this is, and how far it has come.
-- The system identifier is text, since as a number JSON readers would round it; null where we may not ask for it.
SELECT has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') AS may_ask \gset
\set system_identifier ''
\if :may_ask
SELECT system_identifier FROM pg_catalog.pg_control_system() \gset
\endif
-- Where track_counts is off the server counts no row changes: `writes` then stands still whatever happens.
-- txid_… are the older names of pg_snapshot_xmin and pg_snapshot_xmax: the same numbers, known before version 13 too.
SELECT json_build_object(
  'version', current_setting('server_version'),
  'database', d.datname,
  'database_oid', d.oid::bigint,
  'system_identifier', nullif(:'system_identifier', ''),
  'size', pg_database_size(d.oid),
  'encoding', pg_encoding_to_char(d.encoding),
  'postmaster_start', to_char(pg_postmaster_start_time() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
  'writes', (SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint FROM pg_catalog.pg_stat_user_tables),
  'track_counts', current_setting('track_counts')::boolean,
  'next_xid', txid_snapshot_xmax(txid_current_snapshot()),
  'oldest_xid', txid_snapshot_xmin(txid_current_snapshot()))
  FROM pg_catalog.pg_database d WHERE d.datname = current_database();
