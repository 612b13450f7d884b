-- drydock: server
SELECT json_build_object(
  'version', current_setting('server_version'),
  'database', current_database(),
  'database_oid', (SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
  'system_identifier', (SELECT system_identifier::text FROM pg_control_system()),
  'size', pg_database_size(current_database()),
  'encoding', current_setting('server_encoding'),
  'postmaster_start', pg_postmaster_start_time()::text,
  'writes', (SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint FROM pg_stat_user_tables)
);
