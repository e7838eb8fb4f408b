-- Migration: 003_add_markets_index.sql
-- Purpose: The list of open markets by category reads an index
-- Phase: 1
-- Checklist: docs/runbooks/migration_checklist.md#indexes
-- Depends-on: 002_create_core_schema.sql
-- Engines: postgres

-- ============================================================================
-- INDEX OF OPEN MARKETS
-- ============================================================================
-- CONCURRENTLY: markets are written while the index is built. It cannot run in a
-- transaction, so limosa journals it, and looks it up in the catalogue where a
-- run died in the middle.

CREATE INDEX CONCURRENTLY idx_markets_open ON markets (category, closes_at) WHERE status = 'open';

-- ============================================================================
-- ROLLBACK
-- ============================================================================
-- To rollback this migration:
--   DROP INDEX CONCURRENTLY IF EXISTS idx_markets_open;
