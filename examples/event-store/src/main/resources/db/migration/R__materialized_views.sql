SET search_path TO event_store;

DROP MATERIALIZED VIEW IF EXISTS mv_event_statistics;

CREATE MATERIALIZED VIEW mv_event_statistics AS
SELECT
    es.aggregate_type,
    COUNT(DISTINCT es.aggregate_id) AS aggregate_count,
    COUNT(de.event_id) AS event_count,
    MAX(de.occurred_at) AS last_event_time,
    (SELECT AVG(version) FROM event_stream own WHERE own.aggregate_type = es.aggregate_type) AS avg_version
FROM event_stream es
LEFT JOIN domain_event de ON es.stream_id = de.stream_id
GROUP BY es.aggregate_type;

CREATE UNIQUE INDEX idx_mv_event_stats_type ON mv_event_statistics (aggregate_type);

COMMENT ON MATERIALIZED VIEW mv_event_statistics IS 'Aggregate statistics for monitoring and reporting';

GRANT SELECT ON mv_event_statistics TO ${application_user};
