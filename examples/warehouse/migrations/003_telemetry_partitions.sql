-- Migration: 003_telemetry_partitions.sql
-- Purpose: Readings of machines, in monthly partitions
-- Phase: 2
-- Engines: postgres
-- Tags: telemetry

-- Readings come by the million and are thrown away by the month, so that a month
-- is a partition of its own: dropping one takes no time and leaves no dead rows.
-- Plain partitioning needs no extension. 003_telemetry_tables.sql is the same
-- version for SQLite.

CREATE TABLE telemetry (
    equipment_id TEXT NOT NULL REFERENCES equipment (id),
    metric       TEXT NOT NULL,
    recorded_at  TIMESTAMP WITH TIME ZONE NOT NULL,
    value        DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (equipment_id, metric, recorded_at)
) PARTITION BY RANGE (recorded_at);

-- Catches what no month takes, so that a wrong clock loses no reading.
CREATE TABLE telemetry_other PARTITION OF telemetry DEFAULT;

-- Times are written in order, so a few kilobytes of BRIN index find a day.
CREATE INDEX telemetry_by_time ON telemetry USING brin (recorded_at);

CREATE FUNCTION create_telemetry_partition(day date) RETURNS text
LANGUAGE plpgsql AS $$
DECLARE
    first_day date := date_trunc('month', day);
    partition text := 'telemetry_' || to_char(first_day, 'YYYY_MM');
BEGIN
    EXECUTE format(
        'CREATE TABLE IF NOT EXISTS %I PARTITION OF telemetry FOR VALUES FROM (%L) TO (%L)',
        partition,
        first_day::timestamp AT TIME ZONE 'UTC',
        (first_day + interval '1 month') AT TIME ZONE 'UTC'
    );
    RETURN partition;
END;
$$;

COMMENT ON FUNCTION create_telemetry_partition(date) IS
    'Makes the partition of a month; to be called by a scheduled job before the month begins';

-- This month and the two that follow.
SELECT create_telemetry_partition((current_date + make_interval(months => ahead))::date)
FROM generate_series(0, 2) AS ahead;
