-- Migration: 004_inventory_movements.sql
-- Purpose: Every change of stock as a row, beginning with today's stock
-- Phase: 2
-- Tags: stock

-- ============================================================================
-- MOVEMENTS
-- ============================================================================
-- A movement takes from one place and puts into another; a place that is NULL
-- is outside: receiving, shipping, loss, or a count that found more.

CREATE TABLE inventory_movements (
    id            TEXT PRIMARY KEY,
    sku           TEXT NOT NULL REFERENCES items (sku),
    from_location TEXT REFERENCES locations (id),
    to_location   TEXT REFERENCES locations (id),
    quantity      NUMERIC(12, 3) NOT NULL CHECK (quantity > 0),
    reason        TEXT NOT NULL CHECK (reason IN ('opening', 'receive', 'ship', 'move', 'count', 'loss')),
    task_id       TEXT REFERENCES tasks (id),
    moved_by      TEXT REFERENCES users (id),
    moved_at      TIMESTAMP WITH TIME ZONE NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CHECK (from_location IS NOT NULL OR to_location IS NOT NULL)
);

CREATE INDEX inventory_movements_by_item ON inventory_movements (sku, moved_at);

-- What lies on the shelves now is the opening balance.
INSERT INTO inventory_movements (id, sku, to_location, quantity, reason)
SELECT 'opening:' || location_id || ':' || sku, sku, location_id, quantity, 'opening'
FROM inventory
WHERE quantity > 0;
