-- Rollback for: 0014_drop_legacy_field.sql
-- The column comes back empty; its values are in the backup.

ALTER TABLE users ADD COLUMN legacy_field VARCHAR(100);
