-- Migration: 009_timescale_hypertables.sql
-- Purpose: The climate of the halls, kept by TimescaleDB
-- Phase: 2
-- Engines: postgres
-- Requires-extension: timescaledb
-- Tags: telemetry

-- Not applicable where the server does not offer the extension. Where it is
-- installed later, the next migrate runs this file.

CREATE EXTENSION IF NOT EXISTS timescaledb;

CREATE TABLE hall_climate (
    warehouse_code TEXT NOT NULL REFERENCES warehouses (code),
    hall           TEXT NOT NULL,
    recorded_at    TIMESTAMP WITH TIME ZONE NOT NULL,
    celsius        DOUBLE PRECISION,
    humidity       DOUBLE PRECISION,
    PRIMARY KEY (warehouse_code, hall, recorded_at)
);

-- A week in each chunk: old ones are dropped or compressed as a whole.
SELECT create_hypertable('hall_climate', 'recorded_at', chunk_time_interval => INTERVAL '7 days');

-- limosa:rollback
DROP TABLE hall_climate;
