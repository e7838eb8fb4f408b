-- Migration: 002_warehouse_tables.sql
-- Purpose: Locations, items, stock, work, machines and safety
-- Phase: 1
-- Tags: core

-- ============================================================================
-- PLACES AND THINGS
-- ============================================================================

CREATE TABLE locations (
    id             TEXT PRIMARY KEY,
    warehouse_code TEXT NOT NULL REFERENCES warehouses (code),
    zone           TEXT NOT NULL,
    aisle          TEXT NOT NULL,
    rack           TEXT NOT NULL,
    kind           TEXT NOT NULL DEFAULT 'shelf'
                   CHECK (kind IN ('shelf', 'pallet', 'floor', 'dock', 'cold', 'quarantine')),
    capacity       NUMERIC(12, 3) CHECK (capacity IS NULL OR capacity > 0),
    UNIQUE (warehouse_code, zone, aisle, rack)
);

CREATE TABLE items (
    sku           TEXT PRIMARY KEY,
    name          TEXT NOT NULL,
    description   TEXT NOT NULL DEFAULT '',
    unit          TEXT NOT NULL DEFAULT 'piece',
    reorder_point NUMERIC(12, 3) NOT NULL DEFAULT 0 CHECK (reorder_point >= 0),
    hazardous     BOOLEAN NOT NULL DEFAULT FALSE,
    created_at    TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at    TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP
);

-- One row for each item in each place; no row means none there.
CREATE TABLE inventory (
    location_id TEXT NOT NULL REFERENCES locations (id),
    sku         TEXT NOT NULL REFERENCES items (sku),
    quantity    NUMERIC(12, 3) NOT NULL CHECK (quantity >= 0),
    reserved    NUMERIC(12, 3) NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    counted_at  TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (location_id, sku),
    CHECK (reserved <= quantity)
);

CREATE INDEX inventory_by_item ON inventory (sku);

-- ============================================================================
-- WORK
-- ============================================================================

CREATE TABLE tasks (
    id             TEXT PRIMARY KEY,
    warehouse_code TEXT NOT NULL REFERENCES warehouses (code),
    kind           TEXT NOT NULL CHECK (kind IN ('pick', 'pack', 'put_away', 'count', 'load', 'unload', 'repair')),
    state          TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'assigned', 'working', 'done', 'cancelled')),
    priority       SMALLINT NOT NULL DEFAULT 3 CHECK (priority BETWEEN 1 AND 5),
    payload        TEXT NOT NULL DEFAULT '{}',
    due_at         TIMESTAMP WITH TIME ZONE,
    created_at     TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    finished_at    TIMESTAMP WITH TIME ZONE,
    CHECK (finished_at IS NULL OR state IN ('done', 'cancelled'))
);

-- The queue that workers take from: small, whatever the number of finished tasks.
CREATE INDEX tasks_waiting ON tasks (warehouse_code, priority, due_at) WHERE state = 'open';

CREATE TABLE task_assignments (
    task_id     TEXT NOT NULL REFERENCES tasks (id) ON DELETE CASCADE,
    user_id     TEXT NOT NULL REFERENCES users (id),
    assigned_at TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    released_at TIMESTAMP WITH TIME ZONE,
    PRIMARY KEY (task_id, user_id, assigned_at)
);

CREATE INDEX task_assignments_by_user ON task_assignments (user_id, released_at);

-- ============================================================================
-- MACHINES
-- ============================================================================

CREATE TABLE equipment (
    id                  TEXT PRIMARY KEY,
    warehouse_code      TEXT NOT NULL REFERENCES warehouses (code),
    kind                TEXT NOT NULL CHECK (kind IN ('forklift', 'conveyor', 'scanner', 'robot', 'charger', 'truck')),
    model               TEXT NOT NULL,
    state               TEXT NOT NULL DEFAULT 'available'
                        CHECK (state IN ('available', 'in_use', 'maintenance', 'out_of_service')),
    assigned_to         TEXT REFERENCES users (id),
    next_maintenance_on DATE
);

CREATE INDEX equipment_by_warehouse ON equipment (warehouse_code, state);

-- ============================================================================
-- SAFETY
-- ============================================================================

CREATE TABLE safety_incidents (
    id             TEXT PRIMARY KEY,
    warehouse_code TEXT NOT NULL REFERENCES warehouses (code),
    location_id    TEXT REFERENCES locations (id),
    equipment_id   TEXT REFERENCES equipment (id),
    reported_by    TEXT NOT NULL REFERENCES users (id),
    severity       TEXT NOT NULL CHECK (severity IN ('near_miss', 'minor', 'major', 'critical')),
    description    TEXT NOT NULL,
    occurred_at    TIMESTAMP WITH TIME ZONE NOT NULL,
    resolved_at    TIMESTAMP WITH TIME ZONE
);

CREATE INDEX safety_incidents_open ON safety_incidents (warehouse_code, occurred_at) WHERE resolved_at IS NULL;

-- ============================================================================
-- ROLLBACK
-- ============================================================================
-- To rollback this migration, from the newest table to the oldest:
--   DROP TABLE safety_incidents;
--   DROP TABLE equipment;
--   DROP TABLE task_assignments;
--   DROP TABLE tasks;
--   DROP TABLE inventory;
--   DROP TABLE items;
--   DROP TABLE locations;
--
-- WARNING: Stock, tasks and incidents are lost. Take a backup first.
