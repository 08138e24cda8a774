-- Nothing to do: a sequence never gives a number twice. On SQLite, the migration of this name does the same for ids.
SELECT 1;
