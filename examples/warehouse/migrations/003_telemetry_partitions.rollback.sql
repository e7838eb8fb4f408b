-- Rollback of 003_telemetry_partitions.sql: all readings are lost.
-- Dropping the table drops its partitions, those made later included.

DROP FUNCTION create_telemetry_partition(date);
DROP TABLE telemetry;
