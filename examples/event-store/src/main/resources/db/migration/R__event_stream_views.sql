SET search_path TO event_store;

DROP VIEW IF EXISTS v_recent_events;

CREATE VIEW v_recent_events AS
SELECT
    de.event_id,
    de.event_type,
    es.aggregate_type,
    es.aggregate_id,
    de.occurred_at,
    de.correlation_id,
    de.user_id
FROM domain_event de
JOIN event_stream es ON de.stream_id = es.stream_id
ORDER BY de.transaction_id DESC, de.global_position DESC
LIMIT 1000;

COMMENT ON VIEW v_recent_events IS 'Most recent 1000 events across all aggregates';

GRANT SELECT ON v_recent_events TO ${application_user};
