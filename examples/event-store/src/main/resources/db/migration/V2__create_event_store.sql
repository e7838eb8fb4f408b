SET search_path TO event_store;

CREATE TABLE event_stream (
    stream_id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
    aggregate_type VARCHAR(255) NOT NULL,
    aggregate_id UUID NOT NULL,
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    version INTEGER NOT NULL DEFAULT 0,
    UNIQUE (aggregate_type, aggregate_id)
);

CREATE INDEX idx_event_stream_updated ON event_stream (updated_at DESC);

COMMENT ON TABLE event_stream IS 'Aggregate event streams for event sourcing';
COMMENT ON COLUMN event_stream.version IS 'Current version for optimistic locking';

-- A place in one order over all streams: whoever replays reads by (transaction_id, global_position), and only what is below
-- pg_snapshot_xmin(pg_current_snapshot()), so that no event appears behind one that was read.
CREATE TABLE domain_event (
    global_position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction_id XID8 NOT NULL DEFAULT pg_current_xact_id(),
    event_id UUID NOT NULL UNIQUE DEFAULT gen_random_uuid(),
    stream_id UUID NOT NULL REFERENCES event_stream (stream_id),
    event_type VARCHAR(255) NOT NULL,
    event_version INTEGER NOT NULL DEFAULT 1,
    aggregate_version INTEGER NOT NULL,
    event_data JSONB NOT NULL,
    metadata JSONB,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT clock_timestamp(),
    causation_id UUID,
    correlation_id UUID,
    user_id VARCHAR(255),
    UNIQUE (stream_id, aggregate_version)
);

CREATE INDEX idx_domain_event_order ON domain_event (transaction_id, global_position);
CREATE INDEX idx_domain_event_type ON domain_event (event_type);
CREATE INDEX idx_domain_event_occurred ON domain_event (occurred_at DESC);
CREATE INDEX idx_domain_event_correlation ON domain_event (correlation_id) WHERE correlation_id IS NOT NULL;
CREATE INDEX idx_domain_event_causation ON domain_event (causation_id) WHERE causation_id IS NOT NULL;
CREATE INDEX idx_domain_event_data ON domain_event USING GIN (event_data);
CREATE INDEX idx_domain_event_metadata ON domain_event USING GIN (metadata);

COMMENT ON TABLE domain_event IS 'Immutable domain events';
COMMENT ON COLUMN domain_event.aggregate_version IS 'Version of aggregate after applying this event';
COMMENT ON COLUMN domain_event.causation_id IS 'ID of command that caused this event';
COMMENT ON COLUMN domain_event.correlation_id IS 'Correlation ID for tracking related events across aggregates';

-- What is said to be immutable is: also for the owner, who would have to drop the trigger first.
CREATE FUNCTION refuse_change() RETURNS TRIGGER AS $$
BEGIN
    RAISE EXCEPTION 'events are never changed' USING ERRCODE = 'ES002';
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER events_stay
BEFORE UPDATE OR DELETE OR TRUNCATE ON domain_event
FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

GRANT SELECT, INSERT, UPDATE ON event_stream TO ${application_user};
GRANT SELECT, INSERT ON domain_event TO ${application_user};
