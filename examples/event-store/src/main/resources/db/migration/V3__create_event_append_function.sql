SET search_path TO event_store;

-- Appends events to a stream, all or none. A conflict has a code of its own, ES001: SQLSTATE 40001 would be tried again by
-- drivers that know nothing of aggregates.
CREATE FUNCTION append_events(
    p_aggregate_type VARCHAR,
    p_aggregate_id UUID,
    p_expected_version INTEGER,
    p_events JSONB[]
) RETURNS UUID AS $$
DECLARE
    v_stream_id UUID;
BEGIN
    -- Two first appends at once: one makes the stream, the other waits for it here and finds another version below.
    INSERT INTO event_store.event_stream (aggregate_type, aggregate_id)
    VALUES (p_aggregate_type, p_aggregate_id)
    ON CONFLICT (aggregate_type, aggregate_id) DO NOTHING;

    UPDATE event_store.event_stream
    SET version = version + cardinality(p_events), updated_at = clock_timestamp()
    WHERE aggregate_type = p_aggregate_type AND aggregate_id = p_aggregate_id AND version = p_expected_version
    RETURNING stream_id INTO v_stream_id;

    IF v_stream_id IS NULL THEN
        RAISE EXCEPTION 'Concurrency conflict: % % is not at version %',
            p_aggregate_type, p_aggregate_id, p_expected_version
            USING ERRCODE = 'ES001';
    END IF;

    INSERT INTO event_store.domain_event (
        stream_id, event_type, event_version, aggregate_version, event_data, metadata, causation_id, correlation_id, user_id
    )
    SELECT
        v_stream_id,
        event->>'event_type',
        COALESCE((event->>'event_version')::INTEGER, 1),
        p_expected_version + number,
        event->'event_data',
        event->'metadata',
        (event->>'causation_id')::UUID,
        (event->>'correlation_id')::UUID,
        event->>'user_id'
    FROM unnest(p_events) WITH ORDINALITY AS given (event, number)
    ORDER BY number;

    RETURN v_stream_id;
END;
$$ LANGUAGE plpgsql;

COMMENT ON FUNCTION append_events IS 'Atomically append events to aggregate stream with optimistic locking';
