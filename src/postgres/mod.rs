//! PostgreSQL knowledge: the structure of dumps, row counts, versions. Pure but for the SQL under assets/sql.
