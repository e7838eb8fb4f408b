-- Migration: 0014_drop_legacy_field.sql
-- Purpose: legacy_field goes, step 2: no code knows it any more
-- Depends-on: 0009
-- Engines: postgres, sqlite, mysql
-- Data-loss: allowed

-- Run it when no code that reads or writes the column is left.

ALTER TABLE users DROP COLUMN legacy_field;
