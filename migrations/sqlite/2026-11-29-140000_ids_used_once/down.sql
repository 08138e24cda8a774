PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT', 'INTEGER NOT NULL PRIMARY KEY')
    WHERE type = 'table' AND name IN ('liveness_checks', 'liveness_audit_entries');
PRAGMA writable_schema = RESET;
DELETE FROM sqlite_sequence WHERE name IN ('liveness_checks', 'liveness_audit_entries');
