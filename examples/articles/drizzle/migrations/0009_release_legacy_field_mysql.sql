-- Migration: 0009_release_legacy_field_mysql.sql
-- Purpose: legacy_field goes, step 1: the new code may leave it out
-- Engines: mysql

-- Run it before the code that no longer writes the column is deployed.

ALTER TABLE users MODIFY COLUMN legacy_field VARCHAR(100) NULL;

-- limosa:rollback
UPDATE users SET legacy_field = '' WHERE legacy_field IS NULL;
ALTER TABLE users MODIFY COLUMN legacy_field VARCHAR(100) NOT NULL;
