-- drydock: sequences
-- For psql -XqAt -v ON_ERROR_STOP=1 -v table=… -f -. After rows were loaded into a table by other means than its dump,
-- sets the sequence of each serial or identity column behind them. Variable table: the quoted, qualified name.
-- An empty table gives the start value, not yet handed out; numbers outside of the sequence's range were never its own.
SELECT format('SELECT pg_catalog.setval(%L::pg_catalog.regclass, coalesce(own, %s), own IS NOT NULL)
                 FROM (SELECT %s(%I) FILTER (WHERE %I BETWEEN %s AND %s) AS own FROM %s) AS loaded',
              s.seqrelid::regclass::text, s.seqstart, CASE WHEN s.seqincrement > 0 THEN 'max' ELSE 'min' END,
              a.attname, a.attname, s.seqmin, s.seqmax, :'table')
  FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_sequence s ON s.seqrelid = pg_catalog.pg_get_serial_sequence(:'table', a.attname)::regclass
 WHERE a.attrelid = :'table'::regclass AND a.attnum > 0 AND NOT a.attisdropped \gexec
