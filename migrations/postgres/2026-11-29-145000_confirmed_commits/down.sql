DROP FUNCTION liveness_confirm_commit();
