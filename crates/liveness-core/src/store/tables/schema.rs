//! The schema that the queries expect. The migrations create it, and a test compares the two.

diesel::table! {
    liveness_attempts (self_service_user_id) {
        self_service_user_id -> BigInt,
        failures_in_a_row -> Integer,
        failures_in_all -> Integer,
        last_failure_at -> Nullable<BigInt>,
        day_began_at -> BigInt,
        records_today -> Integer,
        bytes_today -> BigInt,
    }
}

diesel::table! {
    liveness_audit_entries (id) {
        id -> BigInt,
        at -> BigInt,
        request_id -> Text,
        principal -> Text,
        roles -> Text,
        self_service_user_id -> Nullable<BigInt>,
        message -> Text,
        outcome -> Text,
        client_ip -> Nullable<Text>,
        issuer -> Nullable<Text>,
        actor -> Nullable<Text>,
        liveness_check_id -> Nullable<BigInt>,
        subject -> Nullable<Text>,
        record_digest -> Nullable<Binary>,
        face_digest -> Nullable<Binary>,
        nonces -> Nullable<Binary>,
        writer -> Nullable<Binary>,
        writer_count -> Nullable<BigInt>,
        leaf_hash -> Nullable<Binary>,
        mac -> Nullable<Binary>,
    }
}

diesel::table! {
    liveness_audit_lists (bucket, writer, writer_count) {
        bucket -> BigInt,
        writer -> Binary,
        writer_count -> BigInt,
    }
}

diesel::table! {
    liveness_check_totals (pre_registration_id, is_successful, has_image, verdict, decision, slot) {
        pre_registration_id -> BigInt,
        is_successful -> Bool,
        has_image -> Bool,
        slot -> Integer,
        checks -> BigInt,
        verdict -> Integer,
        decision -> Integer,
    }
}

diesel::table! {
    liveness_checks (id) {
        id -> BigInt,
        self_service_user_id -> BigInt,
        pre_registration_id -> Nullable<BigInt>,
        session_id -> Text,
        is_successful -> Bool,
        verification_result -> Nullable<Bool>,
        passed -> Bool,
        session_duration -> Nullable<Integer>,
        lighting_value -> Nullable<Double>,
        challenge_count -> Nullable<Integer>,
        completed_challenges -> Nullable<Text>,
        challenges -> Nullable<Text>,
        sdk_timestamp -> Nullable<BigInt>,
        completed_at -> Nullable<BigInt>,
        final_capture_verification_result -> Nullable<Bool>,
        final_capture_session_duration -> Nullable<Integer>,
        final_capture_lighting_value -> Nullable<Double>,
        image_verification_result -> Nullable<Bool>,
        image_session_duration -> Nullable<Integer>,
        image_lighting_value -> Nullable<Double>,
        has_image -> Bool,
        image_path -> Nullable<Text>,
        device_info -> Nullable<Text>,
        client_ip -> Nullable<Text>,
        created_at -> BigInt,
        metadata -> Nullable<Text>,
        image_metadata -> Nullable<Text>,
        idempotency_key -> Nullable<Text>,
        request_fingerprint -> Nullable<Binary>,
        face_erased_at -> Nullable<BigInt>,
        verdict -> Nullable<Integer>,
        decision -> Nullable<Integer>,
    }
}

// The other columns of the same table. diesel takes 32 in one, and compiles for minutes if it has to take more.
diesel::table! {
    #[sql_name = "liveness_checks"]
    liveness_check_judgments (id) {
        id -> BigInt,
        self_service_user_id -> BigInt,
        verdict_policy -> Nullable<Binary>,
        verdict_reasons -> Nullable<Text>,
        issued_session -> Nullable<Text>,
        image_digest -> Nullable<Binary>,
    }
}

diesel::table! {
    liveness_decisions (liveness_check_id, number) {
        liveness_check_id -> BigInt,
        number -> Integer,
        self_service_user_id -> BigInt,
        decision -> Integer,
        reason -> Text,
        issuer -> Nullable<Text>,
        principal -> Text,
        decided_at -> BigInt,
        counts -> Bool,
        writer -> Binary,
        writer_count -> BigInt,
    }
}

diesel::table! {
    liveness_entry_erasures (entry_id) {
        entry_id -> BigInt,
        writer -> Binary,
        writer_count -> BigInt,
    }
}

diesel::table! {
    liveness_event_subscriptions (name) {
        name -> Text,
        types -> Text,
        since -> BigInt,
        held_until -> BigInt,
        is_disabled -> Bool,
        why -> Nullable<Text>,
    }
}

diesel::table! {
    liveness_events (id) {
        id -> BigInt,
        subscription -> Text,
        self_service_user_id -> BigInt,
        event_id -> Text,
        event_type -> Text,
        data -> Text,
        at -> BigInt,
        attempts -> Integer,
        next_at -> BigInt,
        is_dead -> Bool,
        last_error -> Nullable<Text>,
        traceparent -> Nullable<Text>,
    }
}

diesel::table! {
    liveness_face_erasures (liveness_check_id) {
        liveness_check_id -> BigInt,
        self_service_user_id -> BigInt,
        face_digest -> Binary,
        was_sealed -> Bool,
        erased_at -> BigInt,
        because -> Text,
        writer -> Binary,
        writer_count -> BigInt,
    }
}

diesel::table! {
    liveness_images (liveness_check_id) {
        liveness_check_id -> BigInt,
        media_type -> Text,
        bytes -> Binary,
        self_service_user_id -> Nullable<BigInt>,
        sealed_key_id -> Nullable<Binary>,
        object_name -> Nullable<Text>,
    }
}

diesel::table! {
    liveness_issued_sessions (self_service_user_id, session_id) {
        self_service_user_id -> BigInt,
        session_id -> Text,
        challenges -> Text,
        issued_at -> BigInt,
        expires_at -> BigInt,
        used_by -> Nullable<BigInt>,
    }
}

diesel::table! {
    liveness_jobs (id) {
        id -> BigInt,
        kind -> Text,
        key -> Nullable<Text>,
        payload -> Text,
        every -> Nullable<BigInt>,
        run_at -> BigInt,
        takeable_at -> BigInt,
        attempts -> Integer,
        owner -> Nullable<Binary>,
        again_at -> Nullable<BigInt>,
        is_dead -> Bool,
        last_error -> Nullable<Text>,
        created_at -> BigInt,
    }
}

diesel::table! {
    liveness_legal_holds (self_service_user_id) {
        self_service_user_id -> BigInt,
        held_since -> BigInt,
        placed_by -> Text,
        because -> Text,
    }
}

diesel::table! {
    liveness_sessions (session_id) {
        session_id -> Text,
        self_service_user_id -> BigInt,
        created_at -> BigInt,
        newest_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    liveness_trail_checkpoints (hour) {
        hour -> BigInt,
        at -> BigInt,
        size -> BigInt,
        note -> Text,
    }
}

diesel::table! {
    liveness_trail_head (id) {
        id -> BigInt,
        size -> BigInt,
        logged_id -> BigInt,
        last_unwritten_id -> BigInt,
        last_unbound_check_id -> BigInt,
    }
}

diesel::table! {
    liveness_trail_runs (first_index) {
        first_index -> BigInt,
        writer -> Binary,
        first_count -> BigInt,
        entries -> BigInt,
    }
}

diesel::table! {
    liveness_trail_tiles (level, tile_index) {
        level -> Integer,
        tile_index -> BigInt,
        hashes -> Binary,
    }
}

diesel::table! {
    liveness_trail_writers (writer) {
        writer -> Binary,
        logged -> BigInt,
        newest_at -> BigInt,
        is_closed -> Bool,
    }
}

diesel::table! {
    liveness_user_erasures (self_service_user_id) {
        self_service_user_id -> BigInt,
        begun_at -> BigInt,
        done_at -> Nullable<BigInt>,
        records -> BigInt,
        faces -> BigInt,
        last_created_at -> BigInt,
        last_check_id -> BigInt,
    }
}

diesel::table! {
    liveness_users (id) {
        id -> BigInt,
        user_id -> Text,
        pre_registration_id -> Nullable<BigInt>,
        email_address -> Nullable<Text>,
        first_name -> Nullable<Text>,
        last_name -> Nullable<Text>,
        middle_name -> Nullable<Text>,
        display_name -> Nullable<Text>,
        created_at -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(liveness_audit_entries, liveness_checks);
diesel::allow_tables_to_appear_in_same_query!(liveness_audit_entries, liveness_audit_lists);
