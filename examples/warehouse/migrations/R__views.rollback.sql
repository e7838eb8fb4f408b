-- Rollback of R__views.sql.

DROP VIEW IF EXISTS equipment_status;
DROP VIEW IF EXISTS open_incidents;
DROP VIEW IF EXISTS waiting_tasks;
DROP VIEW IF EXISTS stock;
