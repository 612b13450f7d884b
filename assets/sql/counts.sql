-- drydock: counts
-- For psql -XqAt -v ON_ERROR_STOP=1 -f -. One JSON object a line, all from one snapshot:
--   {"table":"public.objects","rows":123}        ordinary and partitioned tables, not the partitions themselves
--   {"sequence":"public.objects_id_seq","last":12}   null: no number was handed out yet
--   {"large_objects":0}                          always the last line: without it the answer was cut
-- Variable snapshot (optional): a snapshot that another session exported, so that the counts are those of its dump.
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;
\if :{?snapshot}
SET TRANSACTION SNAPSHOT :'snapshot';
\endif
-- Rows that a policy hides would be missing without a word; this makes it an error.
SET LOCAL row_security = off;
SET LOCAL statement_timeout = 0;
SET LOCAL search_path = pg_catalog;
-- ONLY for ordinary tables: with inheritance a parent would count its children again.
SELECT format('SELECT format(%L, to_json(%L::text), count(*)) FROM %s %I.%I', '{"table":%s,"rows":%s}',
              format('%I.%I', n.nspname, c.relname), CASE c.relkind WHEN 'r' THEN 'ONLY' ELSE '' END, n.nspname, c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
   AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
 ORDER BY n.nspname, c.relname \gexec
SELECT format('SELECT format(%L, to_json(%L::text), CASE WHEN is_called THEN last_value::text ELSE %L END) FROM %I.%I',
              '{"sequence":%s,"last":%s}', format('%I.%I', n.nspname, c.relname), 'null', n.nspname, c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'S' AND c.relpersistence <> 't'
   AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
 ORDER BY n.nspname, c.relname \gexec
SELECT format('{"large_objects":%s}', count(*)) FROM pg_largeobject_metadata;
COMMIT;
