-- Nothing to do: SQLite has no standbys. On PostgreSQL, the migration of this name confirms commits by them.
SELECT 1;
