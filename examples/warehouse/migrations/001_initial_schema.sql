-- Migration: 001_initial_schema.sql
-- Purpose: People, warehouses and the record of who did what
-- Phase: 1
-- Tags: core

-- ============================================================================
-- CONVENTIONS
-- ============================================================================
-- Identifiers are texts that the application makes (UUIDs, or codes that stand
-- on labels), so that a row can be written by a device that is offline.
-- Times carry their zone. The same files run on PostgreSQL and on SQLite.

-- ============================================================================
-- PEOPLE
-- ============================================================================

CREATE TABLE users (
    id           TEXT PRIMARY KEY,
    username     TEXT NOT NULL UNIQUE,
    full_name    TEXT NOT NULL,
    email        TEXT NOT NULL UNIQUE,
    role         TEXT NOT NULL DEFAULT 'operator'
                 CHECK (role IN ('admin', 'manager', 'supervisor', 'operator', 'viewer')),
    active       BOOLEAN NOT NULL DEFAULT TRUE,
    created_at   TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    last_seen_at TIMESTAMP WITH TIME ZONE
);

-- ============================================================================
-- WAREHOUSES
-- ============================================================================

CREATE TABLE warehouses (
    code       TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    city       TEXT NOT NULL,
    time_zone  TEXT NOT NULL DEFAULT 'UTC',
    created_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- Who may work where. Nobody sees a warehouse that is not listed here.
CREATE TABLE user_warehouses (
    user_id        TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    warehouse_code TEXT NOT NULL REFERENCES warehouses (code) ON DELETE CASCADE,
    PRIMARY KEY (user_id, warehouse_code)
);

CREATE INDEX user_warehouses_by_warehouse ON user_warehouses (warehouse_code);

-- ============================================================================
-- RECORD OF ACTIVITY
-- ============================================================================
-- Written by the triggers of 006 and by the application; never updated.

CREATE TABLE activity_log (
    id          TEXT PRIMARY KEY,
    occurred_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    actor       TEXT,
    action      TEXT NOT NULL CHECK (action IN ('insert', 'update', 'delete', 'sign_in', 'sign_out', 'ask')),
    entity      TEXT NOT NULL,
    entity_id   TEXT NOT NULL,
    details     TEXT
);

CREATE INDEX activity_log_by_entity ON activity_log (entity, entity_id, occurred_at);

-- limosa:rollback
-- People, warehouses and the whole record of activity are lost.
DROP TABLE activity_log;
DROP TABLE user_warehouses;
DROP TABLE warehouses;
DROP TABLE users;
