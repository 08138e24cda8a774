-- Fails unless as many synchronous standbys have the last commit as the server asks for. Without
-- synchronous_standby_names, it does nothing. The program calls it after each COMMIT, in the same message. It is a function
-- so that a session compiles it once.
--
-- It compares positions in the write-ahead log. A role may see the positions of the standbys if it has pg_read_all_stats
-- (pg_monitor includes it). For another role, it commits a second, empty record. Standbys confirm in order, so the wait for
-- the second record covers the first, unless that wait is cancelled too.
CREATE FUNCTION liveness_confirm_commit() RETURNS void LANGUAGE plpgsql AS $liveness$
DECLARE
    names text := current_setting('synchronous_standby_names', true);
    level text := current_setting('synchronous_commit');
    needed int := coalesce((regexp_match(names, '^\s*(?:(?:first|any)\s+)?(\d+)\s*\(', 'i'))[1]::int, 1);
    written pg_lsn;
    confirmed int;
    deadline timestamptz;
BEGIN
    IF coalesce(names, '') = '' OR level = 'local' THEN
        RETURN;
    END IF;
    IF NOT pg_has_role('pg_read_all_stats', 'USAGE') THEN
        PERFORM set_config('synchronous_commit', CASE level WHEN 'off' THEN 'on' ELSE level END, true);
        PERFORM pg_logical_emit_message(true, 'liveness', '');
        RETURN;
    END IF;
    written := pg_current_wal_flush_lsn();
    deadline := clock_timestamp() + interval '2 s';
    LOOP
        SELECT count(*) INTO confirmed FROM pg_stat_get_wal_senders() AS sender
            WHERE sender.sync_state IN ('sync', 'quorum') AND written <= CASE level
                WHEN 'remote_write' THEN sender.write_lsn
                WHEN 'remote_apply' THEN sender.replay_lsn
                ELSE sender.flush_lsn END;
        EXIT WHEN confirmed >= needed;
        IF clock_timestamp() > deadline THEN
            RAISE EXCEPTION 'the commit was not confirmed by a synchronous standby';
        END IF;
        PERFORM pg_sleep(0.002);
    END LOOP;
END $liveness$;
