-- Migration: R__views.sql
-- Purpose: What the assistant and the dashboards read
-- Tags: views

-- Runs again whenever this file changes, so it drops what it makes. Views hold
-- no data.

DROP VIEW IF EXISTS equipment_status;
DROP VIEW IF EXISTS open_incidents;
DROP VIEW IF EXISTS waiting_tasks;
DROP VIEW IF EXISTS stock;

-- Stock of each item in each warehouse, and whether more must be ordered.
CREATE VIEW stock AS
SELECT
    places.warehouse_code,
    items.sku,
    items.name,
    SUM(inventory.quantity) AS quantity,
    SUM(inventory.quantity - inventory.reserved) AS available,
    SUM(inventory.quantity - inventory.reserved) <= items.reorder_point AS must_reorder
FROM inventory
JOIN locations AS places ON places.id = inventory.location_id
JOIN items ON items.sku = inventory.sku
GROUP BY places.warehouse_code, items.sku, items.name, items.reorder_point;

-- The queue in the order in which workers take from it.
CREATE VIEW waiting_tasks AS
SELECT
    tasks.warehouse_code,
    tasks.id,
    tasks.kind,
    tasks.priority,
    tasks.due_at,
    ROW_NUMBER() OVER (
        PARTITION BY tasks.warehouse_code
        ORDER BY tasks.priority, COALESCE(tasks.due_at, tasks.created_at), tasks.id
    ) AS place
FROM tasks
WHERE tasks.state = 'open';

CREATE VIEW open_incidents AS
SELECT
    warehouse_code,
    severity,
    COUNT(*) AS incidents,
    MIN(occurred_at) AS oldest
FROM safety_incidents
WHERE resolved_at IS NULL
GROUP BY warehouse_code, severity;

-- Each machine with its newest readings.
CREATE VIEW equipment_status AS
SELECT
    equipment.warehouse_code,
    equipment.id,
    equipment.kind,
    equipment.state,
    reading.metric,
    reading.value,
    reading.recorded_at
FROM equipment
LEFT JOIN (
    SELECT
        telemetry.*,
        ROW_NUMBER() OVER (PARTITION BY equipment_id, metric ORDER BY recorded_at DESC) AS newest
    FROM telemetry
) AS reading ON reading.equipment_id = equipment.id AND reading.newest = 1;
