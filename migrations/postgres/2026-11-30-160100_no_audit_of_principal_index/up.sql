-- Each record of a user changed a page of it that no other record changed.
DROP INDEX liveness_audit_entries_of_principal;
