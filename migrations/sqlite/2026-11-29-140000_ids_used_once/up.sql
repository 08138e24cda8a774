-- An id is never used again, also after the newest rows were deleted. Without AUTOINCREMENT, SQLite gives the next row the
-- greatest id that is left plus one. It has no ALTER TABLE for that, so this changes the text of the schema, as
-- https://sqlite.org/lang_altertable.html, section 8, describes. No rows are copied, and it takes no time.

-- The table sqlite_sequence comes with the first AUTOINCREMENT, and stays.
CREATE TABLE liveness_numbered (id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT) STRICT;
DROP TABLE liveness_numbered;
INSERT INTO sqlite_sequence (name, seq) SELECT 'liveness_checks', coalesce(max(id), 0) FROM liveness_checks;
INSERT INTO sqlite_sequence (name, seq) SELECT 'liveness_audit_entries', coalesce(max(id), 0) FROM liveness_audit_entries;
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'INTEGER NOT NULL PRIMARY KEY', 'INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT')
    WHERE type = 'table' AND name IN ('liveness_checks', 'liveness_audit_entries');
PRAGMA writable_schema = RESET;
