-- Migration: 004_alter_events_add_impact_score.sql
-- Purpose: How much an event moves its market, from 0 to 100
-- Phase: 2
-- Checklist: docs/runbooks/migration_checklist.md#impact-score
-- Depends-on: 002_create_core_schema.sql
-- Engines: postgres

-- ============================================================================
-- IMPACT SCORE
-- ============================================================================
-- NULL: not rated yet. A new column without a default rewrites no table.

ALTER TABLE events ADD COLUMN impact_score NUMERIC(5, 2);

-- ============================================================================
-- LIMITS
-- ============================================================================
-- NOT VALID needs no look at the rows while the table is locked; new rows are
-- checked at once. No row has a score yet, so the proof of the old ones is quick.

ALTER TABLE events ADD CONSTRAINT chk_events_impact_score
    CHECK (impact_score BETWEEN 0 AND 100) NOT VALID;

ALTER TABLE events VALIDATE CONSTRAINT chk_events_impact_score;

-- ============================================================================
-- ROLLBACK
-- ============================================================================
-- To rollback this migration:
--   ALTER TABLE events
--       DROP CONSTRAINT IF EXISTS chk_events_impact_score,
--       DROP COLUMN IF EXISTS impact_score;
--
-- WARNING: The scores are lost.
