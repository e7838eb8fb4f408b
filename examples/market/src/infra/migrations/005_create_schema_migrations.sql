-- Migration: 005_create_schema_migrations.sql
-- Purpose: The project's own list of what was run, as it was planned before there was a tool
-- Phase: 2
-- Checklist: docs/runbooks/migration_checklist.md#tooling
-- Engines: postgres

-- ============================================================================
-- LIST OF MIGRATIONS
-- ============================================================================
-- A table of the project's like any other. limosa keeps its ledger in the schema
-- "limosa", so that the two never meet; what was run by hand in phase 1 can be
-- entered here, and is shown to limosa with `limosa baseline`.

CREATE TABLE IF NOT EXISTS schema_migrations (
    version    VARCHAR(10) PRIMARY KEY,
    name       VARCHAR(255) NOT NULL,
    applied_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
    applied_by VARCHAR(255),  -- user or CI system
    checksum   VARCHAR(64)    -- SHA-256 of the migration's file
);

-- ============================================================================
-- ROLLBACK
-- ============================================================================
-- To rollback this migration:
--   DROP TABLE IF EXISTS schema_migrations;
--
-- WARNING: What was entered by hand is lost.
