SET check_function_bodies = false;
CREATE SCHEMA command_model;
CREATE SCHEMA event_store;
CREATE SCHEMA read_model;
CREATE FUNCTION event_store.append_events(p_aggregate_type character varying, p_aggregate_id uuid, p_expected_version integer, p_events jsonb[]) RETURNS uuid
    LANGUAGE plpgsql
    AS $$
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
$$;
COMMENT ON FUNCTION event_store.append_events(p_aggregate_type character varying, p_aggregate_id uuid, p_expected_version integer, p_events jsonb[]) IS 'Atomically append events to aggregate stream with optimistic locking';
CREATE FUNCTION event_store.refuse_change() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
BEGIN
    RAISE EXCEPTION 'events are never changed' USING ERRCODE = 'ES002';
END;
$$;
CREATE TABLE command_model.flyway_schema_history (
    installed_rank integer NOT NULL,
    version character varying(50),
    description character varying(200) NOT NULL,
    type character varying(20) NOT NULL,
    script character varying(1000) NOT NULL,
    checksum integer,
    installed_by character varying(100) NOT NULL,
    installed_on timestamp without time zone DEFAULT now() NOT NULL,
    execution_time integer NOT NULL,
    success boolean NOT NULL
);
CREATE TABLE command_model.processed_command (
    command_id uuid NOT NULL,
    processed_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
CREATE TABLE command_model.user_preferences (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    preferences jsonb NOT NULL
);
CREATE TABLE command_model.users (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    name character varying(255) NOT NULL
);
CREATE TABLE event_store.domain_event (
    global_position bigint NOT NULL,
    transaction_id xid8 DEFAULT pg_current_xact_id() NOT NULL,
    event_id uuid DEFAULT gen_random_uuid() NOT NULL,
    stream_id uuid NOT NULL,
    event_type character varying(255) NOT NULL,
    event_version integer DEFAULT 1 NOT NULL,
    aggregate_version integer NOT NULL,
    event_data jsonb NOT NULL,
    metadata jsonb,
    occurred_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    causation_id uuid,
    correlation_id uuid,
    user_id character varying(255)
);
COMMENT ON TABLE event_store.domain_event IS 'Immutable domain events';
COMMENT ON COLUMN event_store.domain_event.aggregate_version IS 'Version of aggregate after applying this event';
COMMENT ON COLUMN event_store.domain_event.causation_id IS 'ID of command that caused this event';
COMMENT ON COLUMN event_store.domain_event.correlation_id IS 'Correlation ID for tracking related events across aggregates';
ALTER TABLE event_store.domain_event ALTER COLUMN global_position ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME event_store.domain_event_global_position_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE event_store.event_stream (
    stream_id uuid DEFAULT gen_random_uuid() NOT NULL,
    aggregate_type character varying(255) NOT NULL,
    aggregate_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
    updated_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL,
    version integer DEFAULT 0 NOT NULL
);
COMMENT ON TABLE event_store.event_stream IS 'Aggregate event streams for event sourcing';
COMMENT ON COLUMN event_store.event_stream.version IS 'Current version for optimistic locking';
CREATE MATERIALIZED VIEW event_store.mv_event_statistics AS
 SELECT es.aggregate_type,
    count(DISTINCT es.aggregate_id) AS aggregate_count,
    count(de.event_id) AS event_count,
    max(de.occurred_at) AS last_event_time,
    ( SELECT avg(own.version) AS avg
           FROM event_store.event_stream own
          WHERE ((own.aggregate_type)::text = (es.aggregate_type)::text)) AS avg_version
   FROM (event_store.event_stream es
     LEFT JOIN event_store.domain_event de ON ((es.stream_id = de.stream_id)))
  GROUP BY es.aggregate_type
  WITH NO DATA;
COMMENT ON MATERIALIZED VIEW event_store.mv_event_statistics IS 'Aggregate statistics for monitoring and reporting';
CREATE VIEW event_store.v_recent_events AS
 SELECT de.event_id,
    de.event_type,
    es.aggregate_type,
    es.aggregate_id,
    de.occurred_at,
    de.correlation_id,
    de.user_id
   FROM (event_store.domain_event de
     JOIN event_store.event_stream es ON ((de.stream_id = es.stream_id)))
  ORDER BY de.transaction_id DESC, de.global_position DESC
 LIMIT 1000;
COMMENT ON VIEW event_store.v_recent_events IS 'Most recent 1000 events across all aggregates';
CREATE TABLE read_model.account_summary (
    account_id uuid NOT NULL,
    owner_name character varying(255) NOT NULL,
    balance numeric(19,4) DEFAULT 0 NOT NULL,
    updated_at timestamp with time zone DEFAULT CURRENT_TIMESTAMP NOT NULL
);
CREATE TABLE read_model.projection_position (
    projection character varying(255) NOT NULL,
    transaction_id xid8 NOT NULL,
    global_position bigint NOT NULL
);
INSERT INTO command_model.flyway_schema_history VALUES (0, NULL, '<< Flyway Schema Creation >>', 'SCHEMA', '"event_store","read_model","command_model"', NULL, 'postgres', '2026-11-26 12:15:02.073794', 0, true);
INSERT INTO command_model.flyway_schema_history VALUES (1, '1', 'create base schemas', 'SQL', 'V1__create_base_schemas.sql', -1987179534, 'postgres', '2026-11-26 12:15:02.295263', 45, true);
INSERT INTO command_model.flyway_schema_history VALUES (2, '2', 'create event store', 'SQL', 'V2__create_event_store.sql', 691534330, 'postgres', '2026-11-26 12:15:02.450377', 38, true);
INSERT INTO command_model.flyway_schema_history VALUES (3, '3', 'create event append function', 'SQL', 'V3__create_event_append_function.sql', -1572037664, 'postgres', '2026-11-26 12:15:02.524905', 21, true);
INSERT INTO command_model.flyway_schema_history VALUES (4, '4', 'create read model tables', 'SQL', 'V4__create_read_model_tables.sql', -779957373, 'postgres', '2026-11-26 12:15:02.564441', 65, true);
INSERT INTO command_model.flyway_schema_history VALUES (5, '5', 'create command model tables', 'SQL', 'V5__create_command_model_tables.sql', -74488842, 'postgres', '2026-11-26 12:15:02.642381', 4, true);
INSERT INTO command_model.flyway_schema_history VALUES (6, '6', 'add user preferences', 'SQL', 'V6__add_user_preferences.sql', 1089758015, 'postgres', '2026-11-26 12:15:02.671415', 3, true);
INSERT INTO command_model.flyway_schema_history VALUES (7, NULL, 'event stream views', 'SQL', 'R__event_stream_views.sql', -1427211481, 'postgres', '2026-11-26 12:15:02.683427', 4, true);
INSERT INTO command_model.flyway_schema_history VALUES (8, NULL, 'materialized views', 'SQL', 'R__materialized_views.sql', 576541726, 'postgres', '2026-11-26 12:15:02.703318', 13, true);
SELECT pg_catalog.setval('event_store.domain_event_global_position_seq', 1, false);
ALTER TABLE ONLY command_model.flyway_schema_history
    ADD CONSTRAINT flyway_schema_history_pk PRIMARY KEY (installed_rank);
ALTER TABLE ONLY command_model.processed_command
    ADD CONSTRAINT processed_command_pkey PRIMARY KEY (command_id);
ALTER TABLE ONLY command_model.user_preferences
    ADD CONSTRAINT user_preferences_pkey PRIMARY KEY (id);
ALTER TABLE ONLY command_model.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
ALTER TABLE ONLY event_store.domain_event
    ADD CONSTRAINT domain_event_event_id_key UNIQUE (event_id);
ALTER TABLE ONLY event_store.domain_event
    ADD CONSTRAINT domain_event_pkey PRIMARY KEY (global_position);
ALTER TABLE ONLY event_store.domain_event
    ADD CONSTRAINT domain_event_stream_id_aggregate_version_key UNIQUE (stream_id, aggregate_version);
ALTER TABLE ONLY event_store.event_stream
    ADD CONSTRAINT event_stream_aggregate_type_aggregate_id_key UNIQUE (aggregate_type, aggregate_id);
ALTER TABLE ONLY event_store.event_stream
    ADD CONSTRAINT event_stream_pkey PRIMARY KEY (stream_id);
ALTER TABLE ONLY read_model.account_summary
    ADD CONSTRAINT account_summary_pkey PRIMARY KEY (account_id);
ALTER TABLE ONLY read_model.projection_position
    ADD CONSTRAINT projection_position_pkey PRIMARY KEY (projection);
CREATE INDEX flyway_schema_history_s_idx ON command_model.flyway_schema_history USING btree (success);
CREATE INDEX idx_domain_event_causation ON event_store.domain_event USING btree (causation_id) WHERE (causation_id IS NOT NULL);
CREATE INDEX idx_domain_event_correlation ON event_store.domain_event USING btree (correlation_id) WHERE (correlation_id IS NOT NULL);
CREATE INDEX idx_domain_event_data ON event_store.domain_event USING gin (event_data);
CREATE INDEX idx_domain_event_metadata ON event_store.domain_event USING gin (metadata);
CREATE INDEX idx_domain_event_occurred ON event_store.domain_event USING btree (occurred_at DESC);
CREATE INDEX idx_domain_event_order ON event_store.domain_event USING btree (transaction_id, global_position);
CREATE INDEX idx_domain_event_type ON event_store.domain_event USING btree (event_type);
CREATE INDEX idx_event_stream_updated ON event_store.event_stream USING btree (updated_at DESC);
CREATE UNIQUE INDEX idx_mv_event_stats_type ON event_store.mv_event_statistics USING btree (aggregate_type);
CREATE TRIGGER events_stay BEFORE DELETE OR UPDATE OR TRUNCATE ON event_store.domain_event FOR EACH STATEMENT EXECUTE FUNCTION event_store.refuse_change();
ALTER TABLE ONLY command_model.user_preferences
    ADD CONSTRAINT user_preferences_user_id_fkey FOREIGN KEY (user_id) REFERENCES command_model.users(id);
ALTER TABLE ONLY event_store.domain_event
    ADD CONSTRAINT domain_event_stream_id_fkey FOREIGN KEY (stream_id) REFERENCES event_store.event_stream(stream_id);
ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA command_model GRANT ALL ON SEQUENCES  TO postgres;
ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA command_model GRANT ALL ON TABLES  TO postgres;
ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA event_store GRANT USAGE ON SEQUENCES  TO postgres;
ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA read_model GRANT ALL ON SEQUENCES  TO postgres;
ALTER DEFAULT PRIVILEGES FOR ROLE postgres IN SCHEMA read_model GRANT ALL ON TABLES  TO postgres;
REFRESH MATERIALIZED VIEW event_store.mv_event_statistics;
