-- Rollback of 004_inventory_movements.sql: the history of stock is lost, the
-- stock itself stays in inventory.

BEGIN;

DROP TABLE inventory_movements;

COMMIT;
