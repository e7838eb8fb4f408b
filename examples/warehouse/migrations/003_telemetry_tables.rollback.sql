-- Rollback of 003_telemetry_tables.sql: all readings are lost.

DROP TABLE telemetry;
