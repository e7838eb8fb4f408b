-- Migration: 008_demo_data.sql
-- Purpose: A small warehouse to look at
-- Environments: development, demo
-- Tags: demo

-- Not applicable where no environment, or another one, is chosen.

INSERT INTO users (id, username, full_name, email, role) VALUES
    ('u-ada', 'ada', 'Ada Berg', 'ada@example.com', 'manager'),
    ('u-ben', 'ben', 'Ben Costa', 'ben@example.com', 'operator');

INSERT INTO warehouses (code, name, city, time_zone) VALUES
    ('RTM1', 'Rotterdam harbour', 'Rotterdam', 'Europe/Amsterdam');

INSERT INTO user_warehouses (user_id, warehouse_code) VALUES
    ('u-ada', 'RTM1'),
    ('u-ben', 'RTM1');

INSERT INTO locations (id, warehouse_code, zone, aisle, rack, kind) VALUES
    ('RTM1-A-01-1', 'RTM1', 'A', '01', '1', 'shelf'),
    ('RTM1-A-01-2', 'RTM1', 'A', '01', '2', 'shelf'),
    ('RTM1-D-00-1', 'RTM1', 'D', '00', '1', 'dock');

INSERT INTO items (sku, name, description, unit, reorder_point, weight_kg, volume_l) VALUES
    ('BOLT-M8', 'Bolt M8 x 40', 'Hexagon head; stainless; box of 100', 'box', 20, 2.1, 1.5),
    ('PUMP-12', 'Bilge pump 12 V', 'For small boats; it''s sold with a hose', 'piece', 4, 1.35, 3.2);

INSERT INTO inventory (location_id, sku, quantity, reserved) VALUES
    ('RTM1-A-01-1', 'BOLT-M8', 140, 20),
    ('RTM1-A-01-2', 'PUMP-12', 3, 0);

INSERT INTO equipment (id, warehouse_code, kind, model, assigned_to, state) VALUES
    ('FL-7', 'RTM1', 'forklift', 'E20 electric', 'u-ben', 'in_use');

INSERT INTO tasks (id, warehouse_code, kind, priority, payload) VALUES
    ('t-1', 'RTM1', 'pick', 2, '{"sku": "BOLT-M8", "quantity": 20}');

INSERT INTO telemetry (equipment_id, metric, recorded_at, value) VALUES
    ('FL-7', 'battery_percent', CURRENT_TIMESTAMP, 81);

-- limosa:rollback
DELETE FROM telemetry WHERE equipment_id = 'FL-7';
DELETE FROM tasks WHERE id = 't-1';
DELETE FROM equipment WHERE id = 'FL-7';
DELETE FROM inventory WHERE sku IN ('BOLT-M8', 'PUMP-12');
DELETE FROM items WHERE sku IN ('BOLT-M8', 'PUMP-12');
DELETE FROM locations WHERE warehouse_code = 'RTM1';
DELETE FROM user_warehouses WHERE warehouse_code = 'RTM1';
DELETE FROM warehouses WHERE code = 'RTM1';
DELETE FROM users WHERE id IN ('u-ada', 'u-ben');
