-- Migration: 0009_release_legacy_field.sql
-- Purpose: legacy_field goes, step 1: the new code may leave it out
-- Engines: postgres, sqlite

-- Run it before the code that no longer writes the column is deployed.

ALTER TABLE users ALTER COLUMN legacy_field DROP NOT NULL;

-- limosa:rollback
UPDATE users SET legacy_field = '' WHERE legacy_field IS NULL;
ALTER TABLE users ALTER COLUMN legacy_field SET NOT NULL;
