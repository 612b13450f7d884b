-- drydock: counts
SELECT format('SELECT json_build_object(''table'', %L, ''rows'', count(*)) FROM %s', c.oid::regclass::text, c.oid::regclass)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'
 ORDER BY c.oid::regclass::text \gexec
SELECT format('SELECT json_build_object(''sequence'', %L, ''last'', CASE WHEN is_called THEN last_value END) FROM %s', c.oid::regclass::text, c.oid::regclass)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind = 'S' AND n.nspname NOT LIKE 'pg\_%' ORDER BY c.oid::regclass::text \gexec
SELECT json_build_object('large_objects', count(*)) FROM pg_largeobject_metadata;
