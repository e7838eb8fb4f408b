-- Migration: 003_telemetry_tables.sql
-- Purpose: Readings of machines
-- Phase: 2
-- Engines: sqlite
-- Tags: telemetry

-- The same table as in 003_telemetry_partitions.sql, for one warehouse on one
-- machine: no partitions, and the key is the table.

CREATE TABLE telemetry (
    equipment_id TEXT NOT NULL REFERENCES equipment (id),
    metric       TEXT NOT NULL,
    recorded_at  TIMESTAMP WITH TIME ZONE NOT NULL,
    value        DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (equipment_id, metric, recorded_at)
) WITHOUT ROWID;

CREATE INDEX telemetry_by_time ON telemetry (recorded_at);
