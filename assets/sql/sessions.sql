-- drydock: writers
-- For psql -XqAt -v ON_ERROR_STOP=1 -f -. One JSON object a line for each other client of this database:
--   {"pid":1,"user":"pix","application":"psql","client":"10.0.0.1","state":"idle","writes":false}
-- and at last {"sessions":1,"prepared":0}: without it the answer was cut. prepared: two-phase transactions that wait.
-- Whether a session has a transaction id is read from its lock: pg_stat_activity hides it from ordinary users, and the
-- state and the address too (null).
SET search_path = pg_catalog;
WITH others AS (
  SELECT a.pid, a.usename, a.application_name, host(a.client_addr) AS client, a.state,
         EXISTS (SELECT FROM pg_locks l WHERE l.pid = a.pid AND l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock'
                 AND l.granted) AS writes
    FROM pg_stat_activity a
   WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.usesysid IS NOT NULL
     AND coalesce(a.backend_type, 'client backend') = 'client backend')
SELECT line FROM (
  SELECT 0 AS part, pid, json_build_object('pid', pid, 'user', usename, 'application', application_name,
                                           'client', client, 'state', state, 'writes', writes)::text AS line FROM others
   UNION ALL
  SELECT 1, 0, json_build_object('sessions', (SELECT count(*) FROM others), 'prepared',
                 (SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()))::text) AS answer
 ORDER BY part, pid;
